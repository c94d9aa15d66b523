package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/template"
)

// Inspected is one object of an inspect command: its type in Go for templates, and the JSON that came.
type Inspected struct {
	Value any
	Raw   []byte
}

// Inspector prints objects as they come, by template or as one JSON list.
type Inspector struct {
	w      io.Writer
	t      *template.Template
	single bool // JSON in one line
	list   []json.RawMessage
	out    bytes.Buffer
}

// NewInspector prints to w as source says: a template, "json", or "" for the indented list.
func NewInspector(w io.Writer, source string) (*Inspector, error) {
	i := &Inspector{w: w}
	switch source {
	case "":
		return i, nil
	case "json":
		i.single = true
		return i, nil
	}
	var err error
	if i.t, err = Parse(source); err != nil {
		return nil, fmt.Errorf("template parsing error: %w", err)
	}
	return i, nil
}

// Add takes an object. A template is tried with Docker's Go type, and where that has no such field with the JSON, which may
// be of a newer daemon.
func (i *Inspector) Add(o Inspected) error {
	raw := o.Raw
	if raw == nil {
		var err error
		if raw, err = json.Marshal(o.Value); err != nil {
			return err
		}
	}
	if i.t == nil {
		i.list = append(i.list, raw)
		return nil
	}
	var b bytes.Buffer
	if err := i.t.Execute(&b, o.Value); err != nil {
		if b.Reset(); i.fromJSON(&b, raw) != nil {
			return fmt.Errorf("template parsing error: %w", err)
		}
	}
	i.out.Write(b.Bytes())
	i.out.WriteByte('\n')
	return nil
}

func (i *Inspector) fromJSON(b *bytes.Buffer, raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err
	}
	t, err := i.t.Clone()
	if err != nil {
		return err
	}
	return t.Option("missingkey=error").Execute(b, v)
}

// Flush prints what has come together.
func (i *Inspector) Flush() error {
	switch {
	case i.t != nil:
		if i.out.Len() == 0 {
			i.out.WriteByte('\n') // docker prints an empty line for nothing
		}
		_, err := i.out.WriteTo(i.w)
		return err
	case len(i.list) == 0:
		_, err := io.WriteString(i.w, "[]\n")
		return err
	case i.single:
		all, err := json.Marshal(i.list)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(i.w, string(all))
		return err
	}
	all, err := json.Marshal(i.list)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, all, "", "    "); err != nil {
		return err
	}
	_, err = fmt.Fprintln(i.w, strings.TrimSpace(b.String()))
	return err
}
