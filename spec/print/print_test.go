package print_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/spec"
	"github.com/dhow-containers/dhow/spec/print"
)

func TestIndented(t *testing.T) {
	s := spec.Default()
	s.Annotations = map[string]string{"a": "<&>"}
	var b strings.Builder
	if err := print.Indented(&b, s); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); !strings.HasPrefix(text, "{\n\t\"ociVersion\": \"1.3.0\",\n\t\"process\": {\n\t\t\"terminal\": true") ||
		!strings.Contains(text, `"a": "<&>"`) || !strings.HasSuffix(text, "}\n") {
		t.Error(text)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestIndentedError(t *testing.T) {
	want := "cannot print configuration: full"
	if err := print.Indented(broken{}, 1); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
