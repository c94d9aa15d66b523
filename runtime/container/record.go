package container

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/resctrl"
	"github.com/dhow-containers/dhow/spec/json"
)

// record is a container as the files state.json and init have it.
type record struct {
	ID      string
	Bundle  string
	Rootfs  string
	Created time.Time
	Cgroups map[string]string // directory by cgroup v1 controller; "" for v2
	Unit    *cgroup.Unit      // systemd unit that holds it, by name; nil for none
	Rdt     *resctrl.Group    // nil without linux.intelRdt
	Config  []byte            // the text of the bundle's config.json

	Restored bool // made by restore: criu has put it into a time namespace

	// Of the file init, once the container's first process exists.
	Pid       int
	StartTime uint64 // in clock ticks since boot (proc_pid_stat(5)): tells a reused pid apart
}

// encode writes state.json. It is written by hand because it is on the path of every start.
func (r *record) encode() []byte {
	b := make([]byte, 0, len(r.Config)+1024)
	b = append(b, `{"version":`...)
	b = appendInt(b, recordVersion)
	b = append(b, `,"id":`...)
	b = appendString(b, r.ID)
	b = append(b, `,"bundle":`...)
	b = appendString(b, r.Bundle)
	b = append(b, `,"rootfs":`...)
	b = appendString(b, r.Rootfs)
	b = append(b, `,"created":"`...)
	b = r.Created.AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","cgroups":{`...)
	first := true
	for name, dir := range r.Cgroups {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, name), ':')
		b = appendString(b, dir)
	}
	b = append(b, '}')
	if r.Unit != nil {
		b = appendUnit(b, r.Unit)
	}
	if r.Rdt != nil {
		b = appendGroup(append(b, `,"intelRdt":`...), r.Rdt)
	}
	if r.Restored {
		b = append(b, `,"restored":true`...)
	}
	b = append(b, `,"config":`...)
	b = append(b, r.Config...)
	return append(b, "}\n"...)
}

// appendString appends s, which is UTF-8, as a JSON string.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// recordVersion is the layout of state.json and init. A runtime leaves containers of another one alone.
const recordVersion = 1

// errVersion says that a record is sound, and another version's.
var errVersion = errors.New("it was written by another version of this program")

func decodeRecord(data []byte) (*record, error) {
	d, r := json.New(data), &record{Cgroups: map[string]string{}}
	var created string
	var version int
	if d.Object() {
		for d.Next() {
			switch d.Name() {
			case "version":
				d.Int(&version)
			case "id":
				d.String(&r.ID)
			case "bundle":
				d.String(&r.Bundle)
			case "rootfs":
				d.String(&r.Rootfs)
			case "created":
				d.String(&created)
			case "cgroups":
				decodeCgroups(d, r.Cgroups)
			case "unit":
				r.Unit = decodeUnit(d)
			case "intelRdt":
				r.Rdt = decodeGroup(d)
			case "restored":
				d.Bool(&r.Restored)
			case "config":
				start, end := d.Raw()
				r.Config = data[start:end]
			default:
				d.Ignore()
			}
		}
	}
	if err := d.End(); err != nil {
		return nil, err
	}
	if version != recordVersion {
		return nil, errVersion
	}
	var err error
	r.Created, err = time.Parse(time.RFC3339Nano, created)
	return r, err
}

func decodeCgroups(d *json.Decoder, m map[string]string) {
	if !d.Object() {
		return
	}
	for d.Next() {
		name, dir := d.Name(), ""
		d.String(&dir)
		m[name] = dir
	}
}

// writeInit makes init. It is a symbolic link, whose target is the content: that is made whole by one
// system call, and costs a disk file system a third of a file that is written and renamed.
func (r *record) writeInit(dir int) error {
	b := strconv.AppendInt(nil, int64(r.Pid), 10)
	b = append(b, ' ')
	if err := unix.Symlinkat(string(strconv.AppendUint(b, r.StartTime, 10)), dir, "init"); err != nil {
		return &fs.PathError{Op: "symlink", Path: "init", Err: err}
	}
	return nil
}

// readInit fills in what init says; without it there is no process yet.
func (r *record) readInit(dir int) error {
	buf := make([]byte, 64)
	n, err := unix.Readlinkat(dir, "init", buf)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return &fs.PathError{Op: "readlink", Path: "init", Err: err}
	}
	pid, start, _ := strings.Cut(string(buf[:n]), " ")
	r.Pid, err = strconv.Atoi(pid)
	if err == nil {
		r.StartTime, err = strconv.ParseUint(start, 10, 64)
	}
	if err == nil && r.Pid <= 0 {
		err = fmt.Errorf("pid %d", r.Pid)
	}
	return err
}

func readRecord(dir int, id string) (*record, error) {
	data, err := readFile(dir, "state.json")
	if errors.Is(err, unix.ENOENT) {
		err = broken{err}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the record of container %q: %w", id, err)
	}
	r, err := decodeRecord(data)
	if err == nil && r.ID != id {
		err = fmt.Errorf("it is the record of %q", r.ID)
	}
	if err != nil && err != errVersion {
		err = broken{err}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the record of container %q: state.json: %w", id, err)
	}
	if err := r.readInit(dir); err != nil {
		return nil, fmt.Errorf("cannot read the record of container %q: init: %w", id, broken{err})
	}
	return r, nil
}

// writeFile writes name in dir under a temporary name, which a crash may leave behind, and renames it.
func writeFile(dir int, name string, data []byte) error {
	temp := name + ".new"
	fd, err := unix.Openat(dir, temp, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return &fs.PathError{Op: "open", Path: temp, Err: err}
	}
	err = writeWhole(fd, data)
	if e := unix.Close(fd); err == nil {
		err = e
	}
	if err == nil {
		err = unix.Renameat(dir, temp, dir, name)
	}
	if err != nil {
		unix.Unlinkat(dir, temp, 0)
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

// writeWhole writes data to a new file.
func writeWhole(fd int, data []byte) error {
	n, err := unix.Write(fd, data)
	if err == nil && n < len(data) {
		err = unix.ENOSPC
	}
	return err
}

// maxFile bounds what is read back from the state directory, in bytes.
const maxFile = 64 << 20

// readFile reads a file of the state directory or of procfs, without the poller that os.File would start.
func readFile(dir int, name string) ([]byte, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size > maxFile {
		return nil, &fs.PathError{Op: "read", Path: name, Err: unix.EINVAL}
	}
	data := make([]byte, max(int(st.Size)+1, 1024)) // one byte more than expected, to see the end
	length := 0
	for {
		n, err := unix.Read(fd, data[length:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, &fs.PathError{Op: "read", Path: name, Err: err}
		case n == 0:
			return data[:length], nil
		}
		if length += n; length == len(data) {
			if length > maxFile {
				return nil, &fs.PathError{Op: "read", Path: name, Err: unix.EFBIG}
			}
			data = append(data, make([]byte, length)...)
		}
	}
}
