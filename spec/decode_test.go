package spec

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestDecodeIsLikeEncodingJSON(t *testing.T) {
	for _, name := range []string{"runc-1.1.json", "runc-1.1-rootless.json", "docker.json", "everything.json"} {
		t.Run(name, func(t *testing.T) {
			data := readTestdata(t, name)
			var want specs.Spec
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			doc, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if doc.Spec.Linux.Seccomp != nil {
				t.Error("linux.seccomp was decoded early")
			}
			if err := doc.DecodeSeccomp(); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(doc.Spec, &want) {
				t.Errorf("got  %s\nwant %s", asJSON(t, doc.Spec), asJSON(t, &want))
			}
			if len(doc.Unknown) != 0 {
				t.Errorf("unknown: %q", doc.Unknown)
			}
		})
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDecodeErrors(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"type": {`{"process": {"user": {"uid": "0"}}}`,
			`cannot use config.json: /process/user/uid: cannot use string as unsigned 32-bit integer`},
		"negative": {`{"process": {"user": {"uid": -1}}}`,
			`cannot use config.json: /process/user/uid: cannot use number -1 as unsigned 32-bit integer`},
		"element": {`{"mounts": [{"options": ["ro", 1]}]}`,
			`cannot use config.json: /mounts/0/options/1: cannot use number as string`},
		"map": {`{"annotations": {"a/b": {}}}`,
			`cannot use config.json: /annotations/a~1b: cannot use object as string`},
		"embedded": {`{"linux":{"resources":{"blockIO":{"weightDevice":[{"major":"8"}]}}}}`,
			`cannot use config.json: /linux/resources/blockIO/weightDevice/0/major: cannot use string as signed 64-bit integer`},
		"seccomp": {`{"linux": {"seccomp": []}}`,
			`cannot use config.json: /linux/seccomp: cannot use array as object`},
		"document": {`[]`, `cannot use config.json: cannot use array as object`},
		"syntax": {"{\n  \"process\": {,}\n}",
			`cannot use config.json: line 2, column 15: expected a property name in double quotes, found ','`},
		"syntax in seccomp": {`{"linux":{"seccomp":{"syscalls":[01]}}}`,
			`cannot use config.json: line 1, column 35: expected ',' or ']' after an element, found '1'`},
		"syntax in windows": {`{"windows":{"x":y}}`, `cannot use config.json: line 1, column 17: expected a value, found 'y'`},
		"garbage after":     {`{} x`, `cannot use config.json: line 1, column 4: unexpected 'x' after the end of the document`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode([]byte(test.text))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestDecodeSemantics(t *testing.T) {
	for name, test := range map[string]string{
		"null document":       `null`,
		"nulls":               `{"ociVersion":null,"process":null,"mounts":null,"annotations":null,"linux":{"resources":{"pids":{"limit":null}}}}`,
		"null elements":       `{"process":{"args":[null,"a"]},"mounts":[null],"annotations":{"a":null},"linux":{"timeOffsets":{"x":null}}}`,
		"empty lists":         `{"process":{"args":[]},"mounts":[],"annotations":{},"linux":{"netDevices":{},"seccomp":{"syscalls":[]}}}`,
		"other case":          `{"OCIVERSION":"1.0.0","Process":{"ARGS":["a"],"User":{"Uid":3}}}`,
		"Kelvin sign":         "{\"linux\":{\"mas\u212aedPaths\":[\"/a\"]}}",
		"escaped key":         `{"\u006fciVersion":"1.0.0"}`,
		"equal keys":          `{"ociVersion":"1.0.0","ociVersion":"1.1.0"}`,
		"equal keys, objects": `{"process":{"cwd":"/"},"process":{"args":["a"]},"annotations":{"a":"1"},"annotations":{"b":"2"}}`,
		"equal keys, lists":   `{"process":{"args":["a","b"]},"process":{"args":["c"]}}`,
		"equal keys, null":    `{"process":{"cwd":"/"},"process":null,"ociVersion":"1.0.0","ociVersion":null}`,
		"seccomp, null last":  `{"linux":{"seccomp":{"defaultAction":"a"},"seccomp":null}}`,
	} {
		t.Run(name, func(t *testing.T) {
			var want specs.Spec
			if err := json.Unmarshal([]byte(test), &want); err != nil {
				t.Fatal(err)
			}
			doc, err := Decode([]byte(test))
			if err == nil {
				err = doc.DecodeSeccomp()
			}
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(doc.Spec, &want) {
				t.Errorf("got  %s\nwant %s", asJSON(t, doc.Spec), asJSON(t, &want))
			}
		})
	}
}

// TestEqualKeysReplaceLists pins a difference on purpose: encoding/json would leave "type" of the first list's
// element in the second's.
func TestEqualKeysReplaceLists(t *testing.T) {
	doc, err := Decode([]byte(`{"mounts":[{"type":"proc"}],"mounts":[{"source":"x"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := []specs.Mount{{Source: "x"}}; !reflect.DeepEqual(doc.Spec.Mounts, want) {
		t.Errorf("got %+v", doc.Spec.Mounts)
	}
}

func TestUnknownProperties(t *testing.T) {
	doc, err := Decode([]byte(`{"x-top": {"deep": [1]}, "process": {"user": {"nick": "a"}}, "windows": {"any": 1},
		"mounts": [{}, {"a/b": 1}], "annotations": {"free": "form"}, "linux": {"seccomp": {"later": 1}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/x-top", "/process/user/nick", "/mounts/1/a~1b"}
	if !reflect.DeepEqual(doc.Unknown, want) {
		t.Errorf("got %q, want %q", doc.Unknown, want)
	}
}

func TestSeccompIsASliceOfRaw(t *testing.T) {
	data := []byte(`{"linux": {"seccomp" : {"defaultAction": "SCMP_ACT_ALLOW"} }}`)
	doc, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(doc.Seccomp); got != `{"defaultAction": "SCMP_ACT_ALLOW"}` {
		t.Errorf("got %q", got)
	}
	if &doc.Seccomp[0] != &data[23] || &doc.Raw[0] != &data[0] {
		t.Error("the bytes were copied")
	}
	doc.Seccomp = []byte(`{"defaultErrnoRet": -1}`)
	want := "cannot use linux.seccomp of config.json: /defaultErrnoRet: cannot use number -1 as unsigned 64-bit integer"
	if err := doc.DecodeSeccomp(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestListsDoNotOverlap appends to one list of strings and looks at its neighbour.
func TestListsDoNotOverlap(t *testing.T) {
	many := strings.Repeat(`"x",`, 200) + `"y"`
	doc, err := Decode([]byte(`{"process":{"args":["a"],"env":["b"],"capabilities":{"bounding":[` + many + `],"ambient":["c"]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	p := doc.Spec.Process
	_ = append(p.Args, "over")
	_ = append(p.Capabilities.Bounding, "over")
	if p.Env[0] != "b" || p.Capabilities.Ambient[0] != "c" {
		t.Error("appending to one list changed another")
	}
	if n := len(p.Capabilities.Bounding); n != 201 || p.Capabilities.Bounding[200] != "y" || p.Capabilities.Bounding[0] != "x" {
		t.Errorf("%d elements", n)
	}
}

func TestDecodeParts(t *testing.T) {
	process, err := DecodeProcess([]byte(`{"args":["sh"],"cwd":"/"}`))
	if err != nil || process.Args[0] != "sh" || process.Cwd != "/" {
		t.Error(process, err)
	}
	resources, err := DecodeResources([]byte(`{"pids":{"limit":5}}`))
	if err != nil || *resources.Pids.Limit != 5 {
		t.Error(resources, err)
	}
	seccomp, err := DecodeSeccomp([]byte(`{"defaultAction":"SCMP_ACT_LOG"}`))
	if err != nil || seccomp.DefaultAction != specs.ActLog {
		t.Error(seccomp, err)
	}
	_, err = DecodeProcess([]byte(`{"args":"sh"}`))
	if want := "cannot use process: /args: cannot use string as array"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err = DecodeResources([]byte(`{`)); err == nil {
		t.Error("half an object of resources was accepted")
	}
	if _, err = DecodeSeccomp([]byte(`1`)); err == nil {
		t.Error("a number was accepted as a profile")
	}
}
