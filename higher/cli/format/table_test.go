package format

import (
	"strings"
	"testing"
)

type labelled struct{}

func (labelled) Name() string             { return "x" }
func (labelled) Label(name string) string { return "of " + name }

// TestLabelHeading has the last part of a label's name above its values, as docker has.
func TestLabelHeading(t *testing.T) {
	var b strings.Builder
	err := Rows(&b, `table {{.Name}} {{.Label "com.example.the-one"}}`, "", Headings{"Name": "NAME"}, []labelled{{}})
	if want := "NAME the one\nx of com.example.the-one\n"; err != nil || b.String() != want {
		t.Errorf("got %q, %v", b.String(), err)
	}
}
