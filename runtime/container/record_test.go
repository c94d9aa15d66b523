package container

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/resctrl"
	"github.com/dhow-containers/dhow/spec"
)

const smallConfig = `{"ociVersion":"1.3.0"}`

// oddStrings have what JSON escapes, and what looks like JSON.
var oddStrings = []string{"", " ", "/a b", `"`, `\`, `\"`, "\x00\x01\x1f", "\n\t\r", "\x7f", "naïve 😀", "\ufffd", "\u2028",
	`","pid":1,"x":"`, "}}\n", `\u0041`, "</script>", strings.Repeat("x", 5000)}

func same(a, b *record) bool {
	created := a.Created.Equal(b.Created)
	x, y := *a, *b
	x.Created, y.Created = time.Time{}, time.Time{}
	return created && reflect.DeepEqual(x, y)
}

func TestRecordRoundTrip(t *testing.T) {
	created := time.Date(2026, 11, 23, 16, 2, 58, 123456789, time.UTC)
	list := []*record{
		{ID: "a", Created: created, Cgroups: map[string]string{}, Config: []byte(smallConfig)},
		{ID: "all", Bundle: "/b", Rootfs: "/b/r", Created: created, Config: []byte(`{"ociVersion":"1.3.0", "annotations":{"a":"}"}}`),
			Cgroups: map[string]string{"": "/sys/fs/cgroup/x", "cpu": "/sys/fs/cgroup/cpu/x", "name=systemd": "/y"}},
		{ID: "class", Created: created, Cgroups: map[string]string{}, Config: []byte(smallConfig),
			Rdt: &resctrl.Group{Root: "/r", Path: "/r/c", Monitor: "/r/c/mon_groups/c", Own: true}},
		{ID: "shared class", Created: created, Cgroups: map[string]string{}, Config: []byte(smallConfig), Rdt: &resctrl.Group{Root: "/r", Path: "/r"}},
		{ID: "whole seconds", Created: created.Truncate(time.Second), Cgroups: map[string]string{}, Config: []byte(smallConfig)},
	}
	for _, s := range oddStrings {
		list = append(list, &record{ID: s, Bundle: s, Rootfs: s, Created: created, Cgroups: map[string]string{s: s}, Config: []byte(smallConfig)})
	}
	for _, r := range list {
		data := r.encode()
		if !json.Valid(data) {
			t.Errorf("%q is not JSON", data)
		}
		got, err := decodeRecord(data)
		if err != nil || !same(got, r) {
			t.Errorf("%q is read as %+v, %v", data, got, err)
		}
	}
}

// TestRecordConfig: the config comes back as it was, and can be decoded.
func TestRecordConfig(t *testing.T) {
	text := "{\n\t\"ociVersion\": \"1.3.0\",\n\t\"hostname\": \"a}b\\\"\"\n}"
	r := &record{ID: "a", Config: []byte(text)}
	got, err := decodeRecord(r.encode())
	if err != nil || string(got.Config) != text {
		t.Fatalf("the config is %q, %v", got.Config, err)
	}
	doc, err := (&handle{record: got}).config()
	if err != nil || doc.Spec.Hostname != `a}b"` {
		t.Errorf("it decodes to %+v, %v", doc, err)
	}
	if _, err := (&handle{record: &record{ID: "a", Config: []byte("{")}}).config(); err == nil {
		t.Error("half a config can be decoded")
	}
}

func TestRecordRefused(t *testing.T) {
	whole := (&record{ID: "a", Bundle: "/b", Config: []byte(smallConfig)}).encode()
	if _, err := decodeRecord(whole); err != nil {
		t.Fatal(err)
	}
	for i := range len(bytes.TrimRight(whole, "\n")) {
		if r, err := decodeRecord(whole[:i]); err == nil {
			t.Errorf("%q is read as %+v", whole[:i], r)
		}
	}
	for _, text := range []string{"[]", "null", "{}", `{"created":"yesterday"}`, `{"created":5}`, `{"id":{}}`, `{"cgroups":[]}`, `{"cgroups":{"a":1}}`, "{} {}"} {
		if r, err := decodeRecord([]byte(text)); err == nil {
			t.Errorf("%s is read as %+v", text, r)
		}
	}
}

// TestRecordDepth: a config is refused, or its record can be read back, however deep it nests.
func TestRecordDepth(t *testing.T) {
	accepted := 0
	for depth := 900; depth < 1010; depth++ {
		config := []byte(`{"ociVersion":"1.3.0","x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}")
		if _, err := spec.Decode(config); err != nil {
			if !strings.HasPrefix(err.Error(), "cannot use config.json: ") {
				t.Errorf("depth %d: %v", depth, err)
			}
			continue
		}
		accepted++
		got, err := decodeRecord((&record{ID: "a", Config: config}).encode())
		if err == nil {
			_, err = (&handle{record: got}).config()
		}
		if err != nil {
			t.Errorf("a config of depth %d can be recorded, and not read back: %v", depth, err)
		}
	}
	if accepted == 0 || accepted == 110 {
		t.Errorf("%d depths are accepted: the limit is elsewhere", accepted)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	for _, s := range oddStrings {
		f.Add((&record{ID: s, Bundle: s, Cgroups: map[string]string{s: s}, Config: []byte(smallConfig)}).encode())
	}
	f.Add([]byte(`{"id":"a","unknown":[1,{"x":null}],"created":"2026-01-02T03:04:05+01:00","cgroups":null,"config":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRecord(data)
		if err != nil || len(r.Config) == 0 {
			return
		}
		again, err := decodeRecord(r.encode())
		if err != nil || !same(r, again) {
			t.Errorf("%+v is written as %q and read as %+v, %v", r, r.encode(), again, err)
		}
	})
}

func TestHookState(t *testing.T) {
	odd := map[string]string{}
	for _, s := range oddStrings {
		odd["key "+s] = s
	}
	for name, want := range map[string]specs.State{
		"creating": {ID: "c1", Status: specs.StateCreating, Pid: 42, Bundle: "/b"},
		"stopped":  {ID: "c1", Status: specs.StateStopped, Bundle: "/b"},
		"one":      {ID: "c1", Status: specs.StateRunning, Pid: 1, Bundle: "/b", Annotations: map[string]string{"a": "b"}},
		"odd":      {ID: "c1", Status: specs.StateCreated, Pid: 1, Bundle: "/b\n\"\\\x01😀", Annotations: odd},
	} {
		t.Run(name, func(t *testing.T) {
			want.Version = specs.Version
			h := &handle{record: &record{ID: want.ID, Bundle: want.Bundle}}
			text := h.hookState(want.Status, &specs.Spec{Annotations: want.Annotations}, want.Pid)
			d := json.NewDecoder(bytes.NewReader(text))
			d.DisallowUnknownFields()
			var got specs.State
			if err := d.Decode(&got); err != nil || d.More() || !reflect.DeepEqual(got, want) {
				t.Errorf("%s is read as %+v, %v", text, got, err)
			}
			if want.Pid == 0 && bytes.Contains(text, []byte(`"pid"`)) {
				t.Errorf("%s has a pid", text)
			}
		})
	}
}
