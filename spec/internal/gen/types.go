package main

import (
	"fmt"
	"reflect"
	"strings"
)

// property is one key of a JSON object and the Go field behind it.
type property struct {
	name   string
	goName string
	goType reflect.Type
}

// properties lists the keys of a struct, with those of embedded structs in place.
func properties(t reflect.Type) ([]property, error) {
	var list []property
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			inner, err := properties(f.Type)
			if err != nil {
				return nil, err
			}
			list = append(list, inner...)
		case !f.IsExported() || name == "" || name == "-" || strings.Contains(options, "string"):
			return nil, fmt.Errorf("%s.%s: no rule for its json tag", t.Name(), f.Name)
		default:
			list = append(list, property{name, f.Name, f.Type})
		}
	}
	return list, nil
}

// scalars maps the kinds of plain values to the cursor's method and the type its argument points to.
var scalars = map[reflect.Kind][2]string{
	reflect.String: {"String", "string"},
	reflect.Bool:   {"Bool", "bool"},
	reflect.Int:    {"Int", "int"},
	reflect.Int32:  {"Int32", "int32"},
	reflect.Int64:  {"Int64", "int64"},
	reflect.Uint:   {"Uint", "uint"},
	reflect.Uint16: {"Uint16", "uint16"},
	reflect.Uint32: {"Uint32", "uint32"},
	reflect.Uint64: {"Uint64", "uint64"},
}

// statement returns the code that decodes the next value into a variable of some type.
func (g *generator) statement(t reflect.Type, variable string) (string, error) {
	switch t.Kind() {
	case reflect.Pointer:
		code, err := g.into(t.Elem(), "p")
		return fmt.Sprintf("if p := pointer(d, &%s); p != nil {\n%s\n}", variable, code), err
	case reflect.Slice:
		if t.Elem() == reflect.TypeFor[string]() {
			return fmt.Sprintf("stringList(d, &%s)", variable), nil
		}
		elem, err := g.decoderOf(t.Elem())
		return fmt.Sprintf("list(d, &%s, %s)", variable, elem), err
	case reflect.Map:
		if t.Key().Kind() != reflect.String || t.Key().PkgPath() != "" {
			return "", fmt.Errorf("no rule for a map with keys of type %s", t.Key())
		}
		elem, err := g.decoderOf(t.Elem())
		return fmt.Sprintf("dict(d, &%s, %s)", variable, elem), err
	}
	return g.into(t, "&"+variable)
}

// into returns the code that decodes the next value to where a pointer expression points.
func (g *generator) into(t reflect.Type, pointer string) (string, error) {
	if t.Kind() == reflect.Struct {
		name, err := g.decoderOf(t)
		return fmt.Sprintf("%s(d, %s)", name, pointer), err
	}
	scalar, ok := scalars[t.Kind()]
	if !ok {
		return "", fmt.Errorf("no rule for type %s", t)
	}
	if t.PkgPath() != "" {
		pointer = fmt.Sprintf("(*%s)(%s)", scalar[1], pointer)
	}
	return fmt.Sprintf("d.%s(%s)", scalar[0], pointer), nil
}

// decoderOf names the function that decodes a value of a type, which it queues when it is a struct.
func (g *generator) decoderOf(t reflect.Type) (string, error) {
	if t.Kind() == reflect.Struct {
		g.todo = append(g.todo, t)
		return "decode" + t.Name(), nil
	}
	if t.Kind() == reflect.String && t.PkgPath() != "" {
		return "decodeText", nil
	}
	scalar, ok := scalars[t.Kind()]
	if !ok || t.PkgPath() != "" {
		return "", fmt.Errorf("no rule for elements of type %s", t)
	}
	return "decode" + scalar[0], nil
}
