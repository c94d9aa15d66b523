package json_test

import (
	stdjson "encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/dhow-containers/dhow/spec/json"
)

// FuzzSkip compares what is accepted as JSON with encoding/json. Deliberate differences: what is not UTF-8 is
// refused, and so is nesting beyond MaxDepth.
func FuzzSkip(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e+10,true,false,null,"\u00e9\ud83d\ude00"],"b":{}}`, `[]`, ` "x" `, `0`, `{"a":1,}`, `[1,]`, `tru`, "\"\xff\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := json.New(data)
		d.Skip()
		err := d.End()
		if valid := stdjson.Valid(data); valid != (err == nil) {
			if valid && (!utf8.Valid(data) || depth(data) > json.MaxDepth) {
				return
			}
			t.Errorf("encoding/json says %v, we say %v", valid, err)
		}
	})
}

// depth overestimates how deep a text nests.
func depth(data []byte) (n int) {
	for _, c := range data {
		if c == '{' || c == '[' {
			n++
		}
	}
	return n
}

// FuzzString compares the values of strings with encoding/json.
func FuzzString(f *testing.F) {
	for _, seed := range []string{`abc`, `\u00e9`, `\ud83d\ude00`, `\ud83d`, `\ude00\ud83d`, `\n\/`, `naïve`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		text := []byte(`"` + body + `"`)
		if !utf8.Valid(text) {
			return
		}
		var want, got string
		wantErr := stdjson.Unmarshal(text, &want)
		d := json.New(text)
		d.String(&got)
		if err := d.End(); (err == nil) != (wantErr == nil) || err == nil && got != want {
			t.Errorf("got %q, %v; want %q, %v", got, err, want, wantErr)
		}
	})
}
