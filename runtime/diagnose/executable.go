package diagnose

import (
	"encoding/binary"
	"fmt"
	"path"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/inroot"
)

// view is a root file system to look things up in, as a process in it would.
type view int

// open opens the container's root: as the process that failed sees it, or else as it is on the host.
func (c *Context) open() (view, error) {
	name := c.Rootfs
	if c.Pid > 0 {
		name = fmt.Sprintf("/proc/%d/root", c.Pid)
	}
	fd, err := unix.Open(name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return view(fd), err
}

func (v view) close() { unix.Close(int(v)) }

func (v view) stat(name string) (unix.Stat_t, error) { return inroot.Stat(int(v), name) }

func (v view) noexec(name string) bool {
	fd, err := inroot.Open(int(v), name, unix.O_PATH)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var st unix.Statfs_t
	return unix.Fstatfs(fd, &st) == nil && st.Flags&unix.ST_NOEXEC != 0
}

// headSize is as much of an executable as the kernel reads itself (BINPRM_BUF_SIZE), and enough for program headers.
const headSize = 4096

func (v view) head(name string) ([]byte, error) { return inroot.Read(int(v), name, headSize) }

// find is the file that process.args[0] means, as execvp(3) would look for it.
func (v view) find(name, cwd, searchPath string) (string, bool) {
	if strings.Contains(name, "/") {
		if !path.IsAbs(name) {
			name = path.Join(cwd, name)
		}
		_, err := v.stat(name)
		return name, err == nil
	}
	for dir := range strings.SplitSeq(searchPath, ":") {
		if !path.IsAbs(dir) {
			dir = path.Join(cwd, dir)
		}
		full := path.Join(dir, name)
		if st, err := v.stat(full); err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
			return full, true
		}
	}
	return name, false
}

// shebang is the interpreter that a script names in its first line (execve(2)).
func shebang(head []byte) string {
	line, isScript := strings.CutPrefix(string(head), "#!")
	if !isScript {
		return ""
	}
	line, _, _ = strings.Cut(line, "\n")
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// elf is what the header of an ELF file says (elf(5)).
type elf struct {
	machine     uint16
	interpreter string // PT_INTERP: the dynamic linker
}

// parseELF reads the header and the program headers in head; nil when head is not that of an ELF file.
func parseELF(head []byte) *elf {
	if len(head) < 52 || string(head[:4]) != "\x7fELF" {
		return nil
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if head[5] == 2 {
		order = binary.BigEndian
	}
	e := &elf{machine: order.Uint16(head[18:])}
	wide := head[4] == 2
	var at uint64
	var size, count, offset, length int
	if wide {
		if len(head) < 64 {
			return e
		}
		at, size, count = order.Uint64(head[32:]), int(order.Uint16(head[54:])), int(order.Uint16(head[56:]))
		offset, length = 8, 32
	} else {
		at, size, count = uint64(order.Uint32(head[28:])), int(order.Uint16(head[42:])), int(order.Uint16(head[44:]))
		offset, length = 4, 16
	}
	word := func(b []byte) uint64 {
		if wide {
			return order.Uint64(b)
		}
		return uint64(order.Uint32(b))
	}
	const ptInterp = 3
	for i := range count {
		start := at + uint64(i)*uint64(size)
		if size < length+8 || start+uint64(size) > uint64(len(head)) || start+uint64(size) < start {
			break
		}
		ph := head[start:]
		if order.Uint32(ph) != ptInterp {
			continue
		}
		from, n := word(ph[offset:]), word(ph[length:])
		if end := from + n; n > 0 && end >= from && end <= uint64(len(head)) {
			e.interpreter = strings.TrimRight(string(head[from:end]), "\x00")
		}
	}
	return e
}

// machineName names a value of e_machine as Go and OCI images do.
func machineName(m uint16) string {
	for _, known := range [...]struct {
		machine uint16
		name    string
	}{
		{3, "386"}, {8, "mips"}, {21, "ppc64"}, {22, "s390x"}, {40, "arm"}, {62, "amd64"}, {183, "arm64"}, {243, "riscv64"}, {258, "loong64"},
	} {
		if known.machine == m {
			return known.name
		}
	}
	return fmt.Sprintf("ELF machine %d", m)
}

// foreign says whether this machine's kernel cannot run the file by itself.
func (e *elf) foreign() bool {
	own := machineName(e.machine)
	return own != runtime.GOARCH && !(runtime.GOARCH == "amd64" && own == "386")
}
