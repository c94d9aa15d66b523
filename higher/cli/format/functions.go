package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"unicode"
)

// functions are what templates can call beside Go's own.
var functions = template.FuncMap{
	"json":     toJSON,
	"split":    strings.Split,
	"join":     join,
	"title":    title,
	"lower":    strings.ToLower,
	"upper":    strings.ToUpper,
	"pad":      pad,
	"truncate": truncate,
}

// headerFunctions leave the heading of a column as it is.
var headerFunctions = template.FuncMap{
	"json":     func(s string) string { return s },
	"split":    func(s, _ string) string { return s },
	"join":     func(s, _ string) string { return s },
	"title":    func(s string) string { return s },
	"lower":    func(s string) string { return s },
	"upper":    func(s string) string { return s },
	"truncate": func(s string, _ int) string { return s },
}

// Parse parses a template.
func Parse(text string) (*template.Template, error) {
	return New().Parse(text)
}

func toJSON(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}

func join(list any, sep string) (string, error) {
	if list == nil {
		return "", nil
	}
	if s, ok := list.([]string); ok {
		return strings.Join(s, sep), nil
	}
	v := reflect.ValueOf(list)
	var all []string
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			all = append(all, fmt.Sprint(v.Index(i).Interface()))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			all = append(all, fmt.Sprint(v.MapIndex(k).Interface()))
		}
		slices.Sort(all)
	default:
		return "", fmt.Errorf("expected slice, got %T", list)
	}
	return strings.Join(all, sep), nil
}

// title makes the first letter of each word a capital.
func title(s string) string {
	last := ' '
	return strings.Map(func(r rune) rune {
		start := !unicode.IsLetter(last) && !unicode.IsDigit(last) && last != '_' && last != '\''
		last = r
		if start {
			return unicode.ToTitle(r)
		}
		return r
	}, s)
}

func pad(s string, before, after int) string {
	if s == "" {
		return s
	}
	return strings.Repeat(" ", before) + s + strings.Repeat(" ", after)
}

func truncate(s string, n int) string {
	if len(s) < n {
		return s
	}
	return s[:n]
}

// New is an empty template with the functions.
func New() *template.Template { return template.New("").Funcs(functions) }
