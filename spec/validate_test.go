package spec

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestRealConfigurationsAreValid(t *testing.T) {
	for _, name := range []string{"runc-1.1.json", "runc-1.1-rootless.json", "docker.json", "everything.json"} {
		t.Run(name, func(t *testing.T) {
			doc, err := Decode(readTestdata(t, name))
			if err == nil {
				err = doc.DecodeSeccomp()
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := Validate(doc.Spec); err != nil {
				t.Error(err)
			}
			if seccomp := doc.Spec.Linux.Seccomp; seccomp != nil {
				if err := ValidateSeccomp(seccomp); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestEverythingIsEverything fails when testdata/everything.json lacks a property of the specification.
func TestEverythingIsEverything(t *testing.T) {
	doc, err := Decode(readTestdata(t, "everything.json"))
	if err == nil {
		err = doc.DecodeSeccomp()
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	collect(reflect.ValueOf(*doc.Spec), seen)
	delete(seen, "Scheduler.Priority") // excludes the fields of SCHED_DEADLINE
	for _, other := range []string{"Spec.Solaris", "Spec.Windows", "Spec.VM", "Spec.ZOS", "Spec.FreeBSD"} {
		delete(seen, other)
	}
	for field, set := range seen {
		if !set {
			t.Errorf("%s is never set", field)
		}
	}
}

// collect notes for each field of each struct whether any value has it set. Null pointers to scalars aside, a zero
// in one place is made up for by another place.
func collect(v reflect.Value, seen map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			collect(v.Elem(), seen)
		}
	case reflect.Slice:
		for i := range v.Len() {
			collect(v.Index(i), seen)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			collect(v.MapIndex(key), seen)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Name() + "." + v.Type().Field(i).Name
			seen[name] = seen[name] || !v.Field(i).IsZero()
			collect(v.Field(i), seen)
		}
	}
}

// problemCase changes a valid configuration by a JSON merge (objects are merged, other values replaced) and names
// the problems that this makes.
type problemCase struct {
	patch string
	want  []string
}

// base is valid.
const base = `{"ociVersion":"1.3.0","root":{"path":"rootfs"},"process":{"args":["sh"],"cwd":"/"},"linux":{"namespaces":[
	{"type":"mount"},{"type":"uts"},{"type":"ipc"},{"type":"network"},{"type":"pid"}]}}`

func runProblemCases(t *testing.T, cases map[string]problemCase) {
	t.Helper()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			doc, err := Decode(merge(t, base, test.patch))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			var problems *Problems
			if err := Validate(doc.Spec); errors.As(err, &problems) {
				for _, p := range problems.List {
					got = append(got, p.String())
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(test.want, "\n\t"))
			}
		})
	}
}

func merge(t *testing.T, base, patch string) []byte {
	t.Helper()
	var a, b map[string]any
	for text, into := range map[string]*map[string]any{base: &a, patch: &b} {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(into); err != nil {
			t.Fatal(err, text)
		}
	}
	text, err := json.Marshal(mergeObjects(a, b))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func mergeObjects(a, b map[string]any) map[string]any {
	for key, value := range b {
		inner, ok := value.(map[string]any)
		if old, both := a[key].(map[string]any); ok && both {
			value = mergeObjects(old, inner)
		}
		a[key] = value
	}
	return a
}

func TestValidateTop(t *testing.T) {
	runProblemCases(t, map[string]problemCase{
		"nothing wrong":        {`{}`, nil},
		"no process":           {`{"process":null}`, nil},
		"version missing":      {`{"ociVersion":""}`, []string{`/ociVersion: required`}},
		"version 2":            {`{"ociVersion":"2.0.0"}`, []string{`/ociVersion: version "2.0.0" is not supported, only 1.x is`}},
		"version 0":            {`{"ociVersion":"0.6.0"}`, []string{`/ociVersion: version "0.6.0" is not supported, only 1.x is`}},
		"version of runc":      {`{"ociVersion":"1.0.2-dev"}`, nil},
		"version with a build": {`{"ociVersion":"1.2.0-rc.1+dev.5"}`, nil},
		"version of a future":  {`{"ociVersion":"1.99.0"}`, nil},
		"version, two numbers": {`{"ociVersion":"1.0"}`, []string{`/ociVersion: "1.0" is not a semantic version`}},
		"version, zero padded": {`{"ociVersion":"1.00.0"}`, []string{`/ociVersion: "1.00.0" is not a semantic version`}},
		"version, bad tail":    {`{"ociVersion":"1.0.0-a..b"}`, []string{`/ociVersion: "1.0.0-a..b" is not a semantic version`}},
		"version, v":           {`{"ociVersion":"v1.0.0"}`, []string{`/ociVersion: "v1.0.0" is not a semantic version`}},
		"no root":              {`{"root":null}`, []string{`/root: required`}},
		"empty root":           {`{"root":{"path":""}}`, []string{`/root/path: a path is required`}},
		"NUL in root":          {`{"root":{"path":"a\u0000b"}}`, []string{`/root/path: "a\x00b" contains a NUL character`}},
		"hostname":             {`{"hostname":"h","domainname":"d"}`, nil},
		"names on the host": {`{"hostname":"h","domainname":"d","linux":{"namespaces":[]}}`, []string{
			`/hostname: cannot be set without a uts namespace in /linux/namespaces`,
			`/domainname: cannot be set without a uts namespace in /linux/namespaces`}},
		"hostname joined":      {`{"hostname":"h","linux":{"namespaces":[{"type":"uts","path":"/proc/1/ns/uts"}]}}`, nil},
		"long hostname":        {`{"hostname":"` + strings.Repeat("x", 65) + `"}`, []string{`/hostname: "` + strings.Repeat("x", 65) + `" is longer than 64 bytes`}},
		"empty annotation key": {`{"annotations":{"":"x"}}`, []string{`/annotations: a key is empty`}},
		"hooks": {`{"hooks":{"prestart":[{"path":"/a"}],"poststop":[{"path":"/a"},{"path":"b","args":["\u0000"],"env":["C"],"timeout":0}]}}`, []string{
			`/hooks/poststop/1/path: path "b" is not absolute`,
			`/hooks/poststop/1/args/0: "\x00" contains a NUL character`,
			`/hooks/poststop/1/env/0: environment variable "C" has no '='`,
			`/hooks/poststop/1/timeout: 0 is not greater than zero`}},
		"several": {`{"ociVersion":"","root":{"path":""},"process":{"cwd":"x"},"mounts":[{}]}`, []string{
			`/ociVersion: required`,
			`/process/cwd: path "x" is not absolute`,
			`/root/path: a path is required`,
			`/mounts/0/destination: a path is required`,
			`/mounts/0/type: required, unless the options have bind or rbind`}},
	})
}

func TestValidateProcess(t *testing.T) {
	runProblemCases(t, map[string]problemCase{
		"no args":      {`{"process":{"args":[]}}`, []string{`/process/args: at least one element is required`}},
		"NUL in args":  {`{"process":{"args":["sh","\u0000"]}}`, []string{`/process/args/1: "\x00" contains a NUL character`}},
		"no cwd":       {`{"process":{"cwd":""}}`, []string{`/process/cwd: a path is required`}},
		"relative cwd": {`{"process":{"cwd":"tmp"}}`, []string{`/process/cwd: path "tmp" is not absolute`}},
		"env": {`{"process":{"env":["A=","B=c=d","E","=F","G=\u0000",""]}}`, []string{
			`/process/env/2: environment variable "E" has no '='`,
			`/process/env/3: environment variable "=F" has no name`,
			`/process/env/4: "G=\x00" contains a NUL character`,
			`/process/env/5: environment variable "" has no '='`}},
		"user": {`{"process":{"user":{"uid":4294967295,"gid":4294967295,"umask":512,"additionalGids":[1,4294967295]}}}`, []string{
			`/process/user/uid: 4294967295 is not a valid id`,
			`/process/user/gid: 4294967295 is not a valid id`,
			`/process/user/umask: 512 has bits beyond 0777 (decimal 511)`,
			`/process/user/additionalGids/1: 4294967295 is not a valid id`}},
		"user not mapped": {`{"process":{"user":{"uid":10,"gid":1,"additionalGids":[9,10]}},"linux":{"namespaces":[{"type":"user"}],
			"uidMappings":[{"containerID":0,"hostID":1000,"size":10}],
			"gidMappings":[{"containerID":1,"hostID":1000,"size":9}]}}`, []string{
			`/process/user/uid: 10 is not mapped by /linux/uidMappings`,
			`/process/user/additionalGids/1: 10 is not mapped by /linux/gidMappings`}},
		"rlimits": {`{"process":{"rlimits":[{"type":"RLIMIT_NOFILE","soft":1,"hard":1},{"type":"RLIMIT_FOO"},
			{"type":"RLIMIT_CPU","soft":2,"hard":1},{"type":"RLIMIT_NOFILE"}]}}`, []string{
			`/process/rlimits/1/type: unknown resource limit "RLIMIT_FOO"`,
			`/process/rlimits/2/soft: 2 is above the hard limit 1`,
			`/process/rlimits/3/type: RLIMIT_NOFILE is given twice`}},
		"oomScoreAdj": {`{"process":{"oomScoreAdj":1001}}`, []string{`/process/oomScoreAdj: 1001 is not between -1000 and 1000`}},
		"labels": {`{"process":{"apparmorProfile":"a\nb","selinuxLabel":"c\u0000"}}`, []string{
			`/process/apparmorProfile: "a\nb" contains a newline`,
			`/process/selinuxLabel: "c\x00" contains a NUL character`}},
		"ioPriority": {`{"process":{"ioPriority":{"class":"IOPRIO_CLASS_RT","priority":7}}}`, nil},
		"bad ioPriority": {`{"process":{"ioPriority":{"class":"RT","priority":8}}}`, []string{
			`/process/ioPriority/class: unknown I/O priority class "RT"`,
			`/process/ioPriority/priority: 8 is not between 0 and 7`}},
		"empty ioPriority": {`{"process":{"ioPriority":{}}}`, []string{`/process/ioPriority/class: required`}},
		"execCPUAffinity": {`{"process":{"execCPUAffinity":{"initial":"0-3, 7","final":"3-1"}}}`, []string{
			`/process/execCPUAffinity/final: "3-1" is not a list such as 0-3,7: range "3-1" runs backwards`}},
		"execCPUAffinity, words": {`{"process":{"execCPUAffinity":{"initial":"a","final":"1,,2"}}}`, []string{
			`/process/execCPUAffinity/initial: "a" is not a list such as 0-3,7: "a" is not a number`,
			`/process/execCPUAffinity/final: "1,,2" is not a list such as 0-3,7: "" is not a number`}},
		"execCPUAffinity, huge": {`{"process":{"execCPUAffinity":{"initial":"0-4000000000"}}}`, []string{
			`/process/execCPUAffinity/initial: "0-4000000000" is not a list such as 0-3,7: 4000000000 is above 8191`}},
		"unknown capability": {`{"process":{"capabilities":{"bounding":["CAP_SUDO"]}}}`, nil},
		"console, no tty":    {`{"process":{"consoleSize":{"height":1,"width":1}}}`, nil},
	})
}

func TestValidateScheduler(t *testing.T) {
	runProblemCases(t, map[string]problemCase{
		"other":     {`{"process":{"scheduler":{"policy":"SCHED_OTHER","nice":-20}}}`, nil},
		"none":      {`{"process":{"scheduler":{}}}`, []string{`/process/scheduler/policy: required`}},
		"unknown":   {`{"process":{"scheduler":{"policy":"SCHED_FAST"}}}`, []string{`/process/scheduler/policy: unknown scheduling policy "SCHED_FAST"`}},
		"iso":       {`{"process":{"scheduler":{"policy":"SCHED_ISO"}}}`, []string{`/process/scheduler/policy: policy SCHED_ISO is reserved: no kernel implements it`}},
		"nice":      {`{"process":{"scheduler":{"policy":"SCHED_BATCH","nice":20}}}`, []string{`/process/scheduler/nice: 20 is not between -20 and 19`}},
		"real time": {`{"process":{"scheduler":{"policy":"SCHED_RR","priority":99,"flags":["SCHED_FLAG_RESET_ON_FORK"]}}}`, nil},
		"no priority": {`{"process":{"scheduler":{"policy":"SCHED_FIFO"}}}`, []string{
			`/process/scheduler/priority: 0 is not between 1 and 99, which policy SCHED_FIFO requires`}},
		"idle priority": {`{"process":{"scheduler":{"policy":"SCHED_IDLE","priority":1}}}`, []string{
			`/process/scheduler/priority: must be 0 with policy SCHED_IDLE`}},
		"flag": {`{"process":{"scheduler":{"policy":"SCHED_OTHER","flags":["X"]}}}`, []string{`/process/scheduler/flags/0: invalid scheduling flag "X"`}},
		"deadline": {`{"process":{"scheduler":{"policy":"SCHED_DEADLINE","runtime":1,"deadline":0,"period":5}}}`, []string{
			`/process/scheduler/runtime: 1 is below the kernel's minimum of 1024 ns`,
			`/process/scheduler/deadline: 0 is below the runtime 1`}},
		"deadline, short period": {`{"process":{"scheduler":{"policy":"SCHED_DEADLINE","runtime":2000,"deadline":3000,"period":2500}}}`, []string{
			`/process/scheduler/period: 2500 is below the deadline 3000`}},
		"deadline, wrong policy": {`{"process":{"scheduler":{"policy":"SCHED_OTHER","runtime":1,"period":2}}}`, []string{
			`/process/scheduler/runtime: is for policy SCHED_DEADLINE only`,
			`/process/scheduler/period: is for policy SCHED_DEADLINE only`}},
	})
}

func TestRequireProcess(t *testing.T) {
	want := "cannot use config.json: /process: required to start the container"
	if err := RequireProcess(&specs.Spec{}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := RequireProcess(Default()); err != nil {
		t.Error(err)
	}
}

func TestValidateProcessAlone(t *testing.T) {
	container := Default()
	ToRootless(container, 1000, 1000)
	process := &specs.Process{Args: []string{"sh"}, Cwd: "x", User: specs.User{UID: 5}}
	want := "cannot use process: /user/uid: 5 is not mapped by /linux/uidMappings; /cwd: path \"x\" is not absolute"
	if err := ValidateProcess(process, container); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	process.Cwd = "/"
	if err := ValidateProcess(process, nil); err != nil {
		t.Error(err)
	}
}

func TestProblemsError(t *testing.T) {
	doc, err := Decode([]byte(`{"ociVersion":"1.0.0","root":{"path":"r"},"mounts":[{"destination":"/","type":"proc","options":["ro","nosiud"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	err = Validate(doc.Spec)
	want := `cannot use config.json: /mounts/0/options/1: unknown option "nosiud", did you mean "nosuid"?`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, ok := err.(interface{ InvalidParameter() }); !ok {
		t.Error("not of the class invalid argument")
	}
}

func TestWarnings(t *testing.T) {
	doc, err := Decode(merge(t, base, `{"process":{"consoleSize":{"height":1,"width":1},"capabilities":{"bounding":["CAP_KILL","CAP_SUDO"],"ambient":["kill"]}},
		"mounts":[{"destination":"proc","type":"proc"},{"destination":"/a","source":"/a","options":["bind"],"uidMappings":[{"size":1}],"gidMappings":[{"size":1}]}],
		"hooks":{"prestart":[{"path":"/a"}]},
		"linux":{"resources":{"memory":{"kernel":5}},"devices":[{"path":"/a","type":"c","major":1,"minor":3},{"path":"/b","type":"c","major":1,"minor":3},{"path":"/c","type":"p"},{"path":"/d","type":"p"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := Validate(doc.Spec); err != nil {
		t.Error(err)
	}
	var got []string
	for _, w := range Warnings(doc.Spec) {
		got = append(got, w.String())
	}
	want := []string{
		`/process/consoleSize: ignored without a terminal`,
		`/process/capabilities/bounding/1: unknown capability "CAP_SUDO" is ignored`,
		`/process/capabilities/ambient/0: unknown capability "kill" is ignored`,
		`/mounts/0/destination: path "proc" is relative, which is deprecated; it is taken as relative to /`,
		`/mounts/1/options: should have idmap or ridmap along with uidMappings and gidMappings`,
		`/hooks/prestart: deprecated, use createRuntime, createContainer or startContainer`,
		`/linux/resources/memory/kernel: deprecated, and without an effect since Linux 5.16`,
		`/linux/devices/1: same type, major and minor as entry 0`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func BenchmarkValidate(b *testing.B) {
	for _, name := range []string{"runc-1.1.json", "docker.json"} {
		doc, err := Decode(readTestdata(b, name))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Validate(doc.Spec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
