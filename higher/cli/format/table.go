package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/tabwriter"
	"text/template"
)

// Headings are the titles of columns by the field that fills them.
type Headings map[string]string

// Label is the title of a column of a label's values: the last part of its name.
func (Headings) Label(name string) string {
	return strings.NewReplacer("-", " ", "_", " ").Replace(name[strings.LastIndexByte(name, '.')+1:])
}

// Rows prints rows as source says: "table", "table TEMPLATE", "json", or a template for each. plain is the template that
// "table" and "" stand for. The fields of a row are its methods, as templates call them.
func Rows[R any](w io.Writer, source, plain string, h Headings, rows []R) error {
	table := false
	switch {
	case source == "" || source == "table":
		table, source = true, plain
	case source == "json":
		source = "{{json .}}"
	case strings.HasPrefix(source, "table"):
		table, source = true, strings.TrimPrefix(source, "table")
	}
	source = strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(strings.Trim(source, " "))
	t, err := Parse(source)
	if err != nil {
		return fmt.Errorf("template parsing error: %w", err)
	}
	var b bytes.Buffer
	for _, r := range rows {
		if err := t.Execute(&b, r); err != nil {
			return fmt.Errorf("template parsing error: %w", err)
		}
		b.WriteByte('\n')
	}
	if !table {
		_, err := b.WriteTo(w)
		return err
	}
	return writeTable(w, t, h, &b)
}

func writeTable(w io.Writer, t *template.Template, h Headings, rows *bytes.Buffer) error {
	tw := tabwriter.NewWriter(w, 10, 1, 3, ' ', 0)
	// A heading that cannot be made is left out, as docker does; the rows have shown that the template is sound.
	t.Funcs(headerFunctions).Execute(tw, h)
	tw.Write([]byte("\n"))
	rows.WriteTo(tw)
	return tw.Flush()
}

// Fields returns the values of all methods of row that take nothing and return one thing: its JSON.
func Fields(row any) ([]byte, error) {
	v := reflect.ValueOf(row)
	t := v.Type()
	all := map[string]any{}
	for i := range t.NumMethod() {
		m := t.Method(i)
		if f := v.Method(i); f.Type().NumIn() == 0 && f.Type().NumOut() == 1 {
			all[m.Name] = f.Call(nil)[0].Interface()
		}
	}
	return json.Marshal(all)
}
