package integration

import (
	"os"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// scratchDisk is an empty disk that a test may write to.
func scratchDisk(t *testing.T) specs.LinuxBlockIODevice {
	t.Helper()
	path := os.Getenv("DHOW_TEST_DISK")
	if path == "" {
		skip(t, "needs a disk to write to: make test-vm")
	}
	var st unix.Stat_t
	must(t, unix.Stat(path, &st))
	return specs.LinuxBlockIODevice{Major: int64(unix.Major(st.Rdev)), Minor: int64(unix.Minor(st.Rdev))}
}

// withDisk gives the container the disk as /dev/disk.
func withDisk(d specs.LinuxBlockIODevice) Edit {
	return Linux(func(l *specs.Linux) {
		l.Devices = append(l.Devices, specs.LinuxDevice{Path: "/dev/disk", Type: "b", Major: d.Major, Minor: d.Minor})
		allow(l.Resources, "b", d.Major, d.Minor)
	})
}

func throttleDisk(d specs.LinuxBlockIODevice, readBps, writeBps uint64) Edit {
	return Resources(func(r *specs.LinuxResources) {
		r.BlockIO = &specs.LinuxBlockIO{}
		if readBps > 0 {
			r.BlockIO.ThrottleReadBpsDevice = []specs.LinuxThrottleDevice{{LinuxBlockIODevice: d, Rate: readBps}}
		}
		if writeBps > 0 {
			r.BlockIO.ThrottleWriteBpsDevice = []specs.LinuxThrottleDevice{{LinuxBlockIODevice: d, Rate: writeBps}}
		}
	})
}

// A disk takes two megabytes at one megabyte a second, past the page cache.
func TestVMDiskThrottle(t *testing.T) {
	needV2(t, "io")
	d := scratchDisk(t)
	const writing, reading = "dd if=/dev/zero of=/dev/disk bs=64k count=32 oflag=direct", "dd if=/dev/disk of=/dev/null bs=64k count=32 iflag=direct"
	for name, c := range map[string]struct {
		read, write uint64
		script      string
	}{"writing": {0, 1 << 20, writing}, "reading": {1 << 20, 0, reading}} {
		t.Run(name, func(t *testing.T) {
			r, id := sleeper(t, withDisk(d), throttleDisk(d, c.read, c.write))
			took := func() time.Duration {
				start := time.Now()
				r.Must("exec", id, "sh", "-c", c.script)
				return time.Since(start)
			}
			if slow := took(); slow < 1200*time.Millisecond {
				t.Errorf("2 MiB took %v", slow)
			}
			dir := v2dir(t, r, id)
			stat := readFile(t, dir+"/io.stat")
			for _, want := range []string{device(d), "2097152"} {
				if !strings.Contains(stat, want) {
					t.Errorf("io.stat lacks %s: %s", want, stat)
				}
			}
		})
	}
}

func device(d specs.LinuxBlockIODevice) string { return itoa(int(d.Major)) + ":" + itoa(int(d.Minor)) }

func TestVMDiskFiles(t *testing.T) {
	needV2(t, "io")
	d := scratchDisk(t)
	dev := device(d)
	r, id := sleeper(t, Resources(func(r *specs.LinuxResources) {
		limit := func(rate uint64) []specs.LinuxThrottleDevice {
			return []specs.LinuxThrottleDevice{{LinuxBlockIODevice: d, Rate: rate}}
		}
		r.BlockIO = &specs.LinuxBlockIO{
			ThrottleReadBpsDevice: limit(1 << 20), ThrottleWriteBpsDevice: limit(2 << 20),
			ThrottleReadIOPSDevice: limit(300), ThrottleWriteIOPSDevice: limit(400),
		}
	}))
	dir := v2dir(t, r, id)
	wantV2(t, dir, map[string]string{"io.max": dev + " rbps=1048576 wbps=2097152 riops=300 wiops=400"})
	// A rate of 0 lifts one limit and leaves the others.
	cmd := r.Command("update", "--resources", "-", id)
	cmd.Stdin = strings.NewReader(`{"blockIO":{"throttleReadBpsDevice":[{"major":` + itoa(int(d.Major)) + `,"minor":` + itoa(int(d.Minor)) + `,"rate":0}]}}`)
	r.DoCommand(cmd).Exited(0)
	if underTest.kind == Dhow { // 1.1 leaves the limit
		wantV2(t, dir, map[string]string{"io.max": dev + " rbps=max wbps=2097152 riops=300 wiops=400"})
	}
}

// The weight goes to the file that the disk's scheduler reads.
func TestVMDiskWeight(t *testing.T) {
	needV2(t, "io")
	t.Parallel()
	weight := uint16(300)
	r, id := sleeper(t, Resources(func(r *specs.LinuxResources) { r.BlockIO = &specs.LinuxBlockIO{Weight: &weight} }))
	dir := v2dir(t, r, id)
	file, want := "io.bfq.weight", "300"
	if !exists(dir + "/" + file) {
		file, want = "io.weight", "2929"
	}
	if got := readFile(t, dir+"/"+file); !strings.HasSuffix(got, want) {
		t.Errorf("%s: %q", file, got)
	}
	r.Must("update", "--blkio-weight", "500", id)
	if got := readFile(t, dir+"/"+file); file == "io.bfq.weight" && !strings.HasSuffix(got, "500") {
		t.Errorf("%s: %q", file, got)
	}
}
