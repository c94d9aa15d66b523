package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestPauseResume(t *testing.T) {
	expect(t, &fakeStore{}, "pause web", "pause", "web")
	expect(t, &fakeStore{}, "resume web", "resume", "web")
	refuse(t, "pause", 1, "cannot pause: it needs ID (see 'runtime pause --help')")
	refuse(t, "resume a b", 1, `cannot resume: unexpected argument "b" after ID (see 'runtime resume --help')`)
}

func TestUpdateFlags(t *testing.T) {
	r := emptyResources()
	expect(t, &fakeStore{}, "update web", "update", "web", r)
	m, c := r.Memory, r.CPU
	m.Limit, m.Reservation, m.Swap, m.KernelTCP = new(int64(512<<20)), new(int64(1536)), new(int64(-1)), new(int64(7))
	c.Period, c.Quota, c.Burst, c.Shares = new(uint64(100000)), new(int64(-1)), new(uint64(5)), new(uint64(512))
	c.RealtimePeriod, c.RealtimeRuntime, c.Idle, c.Cpus, c.Mems = new(uint64(9)), new(int64(8)), new(int64(1)), "0-1", "0"
	r.BlockIO.Weight, r.Pids.Limit = new(uint16(10)), new(int64(0))
	expect(t, &fakeStore{}, "update --memory 512m --memory-reservation 1.5k --memory-swap -1 --kernel-memory-tcp 7 --cpu-period 100000 "+
		"--cpu-quota -1 --cpu-burst 5 --cpu-share 512 --cpu-rt-period 9 --cpu-rt-runtime 8 --cpu-idle 1 --cpuset-cpus 0-1 --cpuset-mems 0 "+
		"--blkio-weight 10 --pids-limit 0 web", "update", "web", r)
}

func TestUpdateIntelRdt(t *testing.T) {
	expect(t, &fakeStore{}, "update --l3-cache-schema L3:0=f web", "update-rdt", "web", "L3:0=f", "")
	expect(t, &fakeStore{}, "update --mem-bw-schema MB:0=20 web", "update-rdt", "web", "", "MB:0=20")
	r := emptyResources()
	r.Pids.Limit = new(int64(5))
	expect(t, &fakeStore{}, "update --mem-bw-schema MB:0=20 --pids-limit 5 web", "update", "web", r)
}

func TestUpdateErrors(t *testing.T) {
	const see = " (see 'runtime update --help')"
	refuse(t, "update --memory 4x web", 1, `cannot use --memory "4x": not a size such as 512m, or -1 for no limit`+see)
	refuse(t, "update --memory-swap -2 web", 1, `cannot use --memory-swap "-2": not a size such as 512m, or -1 for no limit`+see)
	refuse(t, "update --cpu-share -1 web", 1, `cannot use --cpu-share "-1": not a whole number from 0`+see)
	refuse(t, "update --cpu-quota 1.5 web", 1, `cannot use --cpu-quota "1.5": not a whole number`+see)
	refuse(t, "update --blkio-weight 65546 web", 1, `cannot use --blkio-weight "65546": not a whole number from 10 to 1000`+see)
	refuse(t, "update --pids-limit ten web", 1, `cannot use --pids-limit "ten": not a whole number`+see)
	refuse(t, "update -r - --memory 1 web", 1, "cannot use --memory: --resources leaves no place for it"+see)
	refuse(t, "update -r /nosuch web", 1, "cannot read --resources: open /nosuch: no such file or directory")
	refuse(t, "update", 1, "cannot update: it needs ID"+see)
}

func TestUpdateResources(t *testing.T) {
	const object = `{"pids":{"limit":5}}`
	path := filepath.Join(t.TempDir(), "resources.json")
	if err := os.WriteFile(path, []byte(object), 0o600); err != nil {
		t.Fatal(err)
	}
	want := &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(5))}}
	expect(t, &fakeStore{}, "update --resources "+path+" web", "update", "web", want)
	f, errs := &fakeStore{}, bytes.Buffer{}
	a := &app{in: strings.NewReader(object), err: &errs, inherit: fourFiles, open: func(*app) store { return f }}
	if code := a.main([]string{"update", "-r", "-", "web"}); code != 0 || !reflect.DeepEqual(f.args, []any{"web", want}) {
		t.Errorf("exit %d, %s, called %+v", code, errs.String(), f.args)
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "1": 1, "-1": -1, "1b": 1, "32": 32, "32 kB": 32 << 10, "512m": 512 << 20, "512MiB": 512 << 20, "1.5g": 3 << 29, "2T": 2 << 40,
		"1p": 1 << 50, ".5k": 512, "9223372036854775807": 1<<63 - 1, "8191p": 8191 << 50,
	} {
		if got, err := parseSize(s); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", " ", "m", "-5", "+5", "1x", "1kk", "1kbb", "1 k b", "0x10", "1e3", "8192p", "9223372036854775808", "1.2.3", "1_0", "inf"} {
		if got, err := parseSize(s); err == nil {
			t.Errorf("%q: %d, want an error", s, got)
		}
	}
}
