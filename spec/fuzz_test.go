package spec

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func addTestdata(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// FuzzDecode compares with encoding/json. The deliberate differences:
//   - text that is not UTF-8 is refused, as is nesting beyond 1000;
//   - the objects of other platforms are not looked into;
//   - of lists that are given twice the last counts, and nothing of the first shows through.
func FuzzDecode(f *testing.F) {
	addTestdata(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Decode(data)
		if err == nil {
			err = doc.DecodeSeccomp()
		}
		var want specs.Spec
		wantErr := json.Unmarshal(data, &want)
		if excused(data) {
			return
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("we say %v, encoding/json says %v", err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(doc.Spec, &want) {
			t.Errorf("got  %s\nwant %s", asJSON(t, doc.Spec), asJSON(t, &want))
		}
	})
}

// excused says whether a text may be treated differently on purpose.
func excused(data []byte) bool {
	if !utf8.Valid(data) || strings.Count(string(data), "{")+strings.Count(string(data), "[") > 1000 {
		return true
	}
	return json.Valid(data) && foreignOrTwice(json.NewDecoder(bytes.NewReader(data)))
}

// foreignOrTwice looks for keys of other platforms and keys that occur twice in an object. Both are found at any
// level, which excuses a little too much.
func foreignOrTwice(d *json.Decoder) bool {
	token, err := d.Token()
	if err != nil {
		return false
	}
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for d.More() {
			token, err := d.Token()
			if err != nil {
				return false
			}
			key, _ := token.(string)
			key = strings.ToUpper(strings.ToLower(strings.ToUpper(key)))
			switch key {
			case "SOLARIS", "WINDOWS", "VM", "ZOS", "FREEBSD":
				return true
			}
			if seen[key] {
				return true
			}
			seen[key] = true
			if foreignOrTwice(d) {
				return true
			}
		}
		_, _ = d.Token()
	case json.Delim('['):
		for d.More() {
			if foreignOrTwice(d) {
				return true
			}
		}
		_, _ = d.Token()
	}
	return false
}

// FuzzDecodeProcess compares with encoding/json, like FuzzDecode.
func FuzzDecodeProcess(f *testing.F) {
	f.Add([]byte(`{"terminal":true,"consoleSize":{"height":1,"width":2},"user":{"uid":1,"gid":2,"umask":18,"additionalGids":[3]},"args":["sh"],"env":["A=b"],"cwd":"/"}`))
	f.Add([]byte(`{"capabilities":{"bounding":["CAP_KILL"]},"rlimits":[{"type":"RLIMIT_CPU","hard":18446744073709551615,"soft":1}],"oomScoreAdj":-5}`))
	f.Add([]byte(`{"scheduler":{"policy":"SCHED_RR","priority":3,"flags":["SCHED_FLAG_RECLAIM"]},"ioPriority":{"class":"x","priority":1},"execCPUAffinity":{"initial":"1"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := DecodeProcess(data)
		var want specs.Process
		wantErr := json.Unmarshal(data, &want)
		if excused(data) {
			return
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("we say %v, encoding/json says %v", err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(got, &want) {
			t.Errorf("got  %s\nwant %s", asJSON(t, got), asJSON(t, &want))
		}
	})
}

// FuzzValidate looks for panics, and for pointers that lead nowhere a problem could be.
func FuzzValidate(f *testing.F) {
	addTestdata(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Decode(data)
		if err != nil || doc.DecodeSeccomp() != nil {
			return
		}
		if err := Validate(doc.Spec); err != nil {
			for _, p := range err.(*Problems).List {
				if p.Message == "" || !strings.HasPrefix(p.Pointer, "/") {
					t.Errorf("problem without a place or a message: %+v", p)
				}
			}
		}
		_ = Warnings(doc.Spec)
		if doc.Spec.Linux != nil && doc.Spec.Linux.Seccomp != nil {
			_ = ValidateSeccomp(doc.Spec.Linux.Seccomp)
		}
		if doc.Spec.Process != nil {
			_ = ValidateProcess(doc.Spec.Process, nil)
		}
	})
}
