package cgroup

import (
	"bytes"
	"io/fs"
	"math"
	"strconv"

	"golang.org/x/sys/unix"
)

// statReader reads the files of one directory after the other into s. After the
// first error it reads nothing more. A file that is not there is no error: which
// ones are depends on the kernel, its configuration, and the group's controllers.
type statReader struct {
	paths map[string]string
	open  func(string) (int, error)
	s     *Stats
	fd    int // of the directory path
	path  string
	buf   []byte
	err   error
}

// enter goes to the directory of a controller, false when the group has none.
func (r *statReader) enter(controller string) bool {
	path := r.paths[controller]
	if path == "" || r.err != nil {
		return false
	}
	if path == r.path {
		return true
	}
	if r.leave(); r.err != nil {
		return false
	}
	fd, err := r.open(path)
	if err != nil {
		r.err = err
		return false
	}
	r.fd, r.path = fd, path
	return true
}

// leave closes the directory. One that was removed meanwhile has no files,
// which must not pass for a group without controllers.
func (r *statReader) leave() {
	if r.fd < 0 {
		return
	}
	if err := unix.Faccessat(r.fd, "cgroup.procs", unix.F_OK, 0); err != nil && r.err == nil {
		r.err = &fs.PathError{Op: "access", Path: r.path + "/cgroup.procs", Err: err}
	}
	unix.Close(r.fd)
	r.fd, r.path = -1, ""
}

// read returns a file's content, valid until the next read; false when there is none.
func (r *statReader) read(name string) ([]byte, bool) {
	if r.err != nil {
		return nil, false
	}
	fd, err := openRetry(r.fd, name, unix.O_RDONLY|unix.O_NOFOLLOW)
	if err == unix.ENOENT {
		return nil, false
	}
	if err != nil {
		return nil, r.fail("open", name, err)
	}
	defer unix.Close(fd)
	length := 0
	for {
		n, err := retry(func() (int, error) { return unix.Read(fd, r.buf[length:]) })
		if err == unix.EOPNOTSUPP { // pressure without psi=1, cgroup.procs of a threaded group
			return nil, false
		}
		if err != nil {
			return nil, r.fail("read", name, err)
		}
		if n == 0 {
			return r.buf[:length], true
		}
		if length += n; length == len(r.buf) {
			r.buf = append(r.buf, make([]byte, length)...)
		}
	}
}

// fail records an error; it is false, for read.
func (r *statReader) fail(op, name string, err error) bool {
	if err == unix.ENODEV { // removed while the file was open
		err = unix.ENOENT
	}
	r.err = &fs.PathError{Op: op, Path: r.path + "/" + name, Err: err}
	return false
}

// bad records content that cannot be.
func (r *statReader) bad(name string, text []byte) {
	if r.err == nil {
		r.err = errorf("%s/%s: unexpected %q", r.path, name, text)
	}
}

// number reads a file that holds one number, or "max".
func (r *statReader) number(name string) uint64 {
	n, _ := r.numberIf(name)
	return n
}

// numberIf is number, and tells whether there is the file.
func (r *statReader) numberIf(name string) (uint64, bool) {
	text, ok := r.read(name)
	if !ok {
		return 0, false
	}
	text = bytes.TrimSpace(text)
	n, ok := counter(text)
	if !ok {
		r.bad(name, text)
	}
	return n, ok
}

// counter reads a number. The kernel has shown negative ones where a sum over
// CPUs was taken while they counted: they are 0.
func counter[T string | []byte](text T) (uint64, bool) {
	switch {
	case string(text) == "max":
		return NoLimit, true
	case len(text) > 1 && text[0] == '-':
		_, ok := digits(text[1:])
		return 0, ok
	}
	return digits(text)
}

func digits[T string | []byte](text T) (n uint64, ok bool) {
	for i := range len(text) {
		c := text[i] - '0'
		if c > 9 || n > (math.MaxUint64-uint64(c))/10 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return n, len(text) > 0
}

// flat calls f for each line "key value" of a file; it tells whether there is one.
func (r *statReader) flat(name string, f func(key []byte, value uint64)) bool {
	text, ok := r.read(name)
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		key, value, found := bytes.Cut(line, []byte(" "))
		n, isNumber := counter(value)
		if !found || !isNumber {
			r.bad(name, line)
			return false
		}
		f(key, n)
	}
	return ok
}

// list reads a file with numbers between spaces.
func (r *statReader) list(name string) (numbers []uint64) {
	text, _ := r.read(name)
	for field := range bytes.FieldsSeq(text) {
		n, ok := counter(field)
		if !ok {
			r.bad(name, field)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// ids reads a list of ranges, such as "0-2,5" (cpuset(7), "List format").
func (r *statReader) ids(name string) (ids []uint16) {
	text, _ := r.read(name)
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return nil
	}
	for part := range bytes.SplitSeq(text, []byte(",")) {
		low, high, isRange := bytes.Cut(part, []byte("-"))
		first, ok := digits(low)
		last, ok2 := first, true
		if isRange {
			last, ok2 = digits(high)
		}
		if !ok || !ok2 || last < first || last > math.MaxUint16 {
			r.bad(name, text)
			return nil
		}
		for id := first; id <= last; id++ {
			ids = append(ids, uint16(id))
		}
	}
	return ids
}

// signed reads a file that holds one number that may be negative.
func (r *statReader) signed(name string) int64 {
	text, ok := r.read(name)
	if !ok {
		return 0
	}
	text = bytes.TrimSpace(text)
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		r.bad(name, text)
	}
	return n
}

// pressure reads a pressure file (Documentation/accounting/psi.rst), nil without one.
func (r *statReader) pressure(name string) *Pressure {
	text, ok := r.read(name)
	if !ok || len(text) == 0 {
		return nil
	}
	p := &Pressure{}
	for line := range bytes.Lines(text) {
		kind, rest, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		switch string(kind) {
		case "some":
			ok = p.Some.parse(rest)
		case "full":
			ok = p.Full.parse(rest)
		}
		if !ok {
			r.bad(name, line)
			return nil
		}
	}
	return p
}

// parse reads "avg10=0.00 avg60=0.00 avg300=0.00 total=0".
func (s *Stall) parse(text []byte) bool {
	for field := range bytes.FieldsSeq(text) {
		key, value, _ := bytes.Cut(field, []byte("="))
		var err error
		switch string(key) {
		case "avg10":
			s.Avg10, err = strconv.ParseFloat(string(value), 64)
		case "avg60":
			s.Avg60, err = strconv.ParseFloat(string(value), 64)
		case "avg300":
			s.Avg300, err = strconv.ParseFloat(string(value), 64)
		case "total":
			s.Total, err = strconv.ParseUint(string(value), 10, 64)
		}
		if err != nil {
			return false
		}
	}
	return true
}
