package plan

import "io"

type Program struct{}

func (p *Program) WriteTable(w io.Writer) error { return nil }
func (p *Program) WriteJSON(w io.Writer) error  { return nil }
