package spec

import (
	"encoding/json"
	"reflect"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestSwapEachValue puts values of all kinds in the place of each value of testdata/everything.json, and compares
// with encoding/json what becomes of it.
func TestSwapEachValue(t *testing.T) {
	var document any
	if err := json.Unmarshal(readTestdata(t, "everything.json"), &document); err != nil {
		t.Fatal(err)
	}
	count := 0
	swapEach(document, func(v any) { document = v }, func() {
		count++
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		compareDecoders(t, text)
	})
	if count < 5000 {
		t.Errorf("only %d documents", count)
	}
}

func compareDecoders(t *testing.T, text []byte) {
	t.Helper()
	var want specs.Spec
	wantErr := json.Unmarshal(text, &want)
	doc, err := Decode(text)
	if err == nil {
		err = doc.DecodeSeccomp()
	}
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("we say %v, encoding/json says %v: %s", err, wantErr, text)
	}
	if err == nil && !reflect.DeepEqual(doc.Spec, &want) {
		t.Fatalf("got  %s\nwant %s", asJSON(t, doc.Spec), asJSON(t, &want))
	}
}

// swapEach calls check with each value at and below v replaced, one at a time.
func swapEach(v any, set func(any), check func()) {
	for _, other := range []string{
		`null`, `true`, `0`, `-1`, `1.5`, `1e2`, `65536`, `4294967296`, `9223372036854775808`, `18446744073709551616`,
		`""`, `"é\u0000"`, `[]`, `[null]`, `[[]]`, `[{}]`, `["x",1]`, `{}`, `{"x":null}`, `{"x":{}}`, `{"X":"y"}`,
	} {
		set(json.RawMessage(other))
		check()
	}
	set(v)
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			swapEach(inner, func(other any) { v[key] = other }, check)
		}
	case []any:
		for i, inner := range v {
			swapEach(inner, func(other any) { v[i] = other }, check)
		}
	}
}
