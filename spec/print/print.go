package print

import (
	"encoding/json"
	"fmt"
	"io"
)

// Indented writes a value and a newline. Unlike json.MarshalIndent it leaves <, > and & alone.
func Indented(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	if err := e.Encode(value); err != nil {
		return fmt.Errorf("cannot print configuration: %w", err)
	}
	return nil
}
