package spec

import (
	"fmt"

	"github.com/dhow-containers/dhow/spec/json"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Document is a parsed config.json.
type Document struct {
	// Spec is the configuration. Its Linux.Seccomp is nil until DecodeSeccomp is called: a seccomp profile is
	// most of a typical file, and a runtime that finds the compiled filter in its cache does not need it.
	Spec *specs.Spec
	// Raw is the text that Decode was given.
	Raw []byte
	// Seccomp is the part of Raw that holds the object linux.seccomp, nil when there is none. Its syntax has
	// been checked, its meaning has not.
	Seccomp []byte
	// Unknown holds the JSON pointers of properties that the specification does not define. A runtime must
	// ignore them (config.md, "Extensibility"); it should mention them.
	Unknown []string
}

// recordDepth is how deep the runtimes' records of a container have its config.json in them.
const recordDepth = 8

// Decode parses config.json. What belongs to other platforms (solaris, windows, vm, zos, freebsd) is skipped and
// stays nil. Strings of the result share one copy of data. An error names line and column, or the JSON pointer
// and the type that was expected; its class is "invalid argument".
func Decode(data []byte) (*Document, error) {
	d := newDecoder(data)
	d.Reserve(recordDepth)
	doc := &Document{Spec: new(specs.Spec), Raw: data}
	decodeSpec(d, doc.Spec)
	if err := d.End(); err != nil {
		return nil, fmt.Errorf("cannot use config.json: %w", err)
	}
	if d.seccompEnd > 0 {
		doc.Seccomp = data[d.seccompStart:d.seccompEnd:d.seccompEnd]
	}
	doc.Unknown = d.Unknown()
	return doc, nil
}

// DecodeSeccomp fills Spec.Linux.Seccomp from the raw bytes; it does nothing when the document has no
// linux.seccomp. Unknown properties inside of it are ignored. Validate does not look at the result: call
// ValidateSeccomp.
func (doc *Document) DecodeSeccomp() error {
	if doc.Seccomp == nil || doc.Spec.Linux == nil {
		return nil
	}
	var profile specs.LinuxSeccomp
	if err := decodeAll(doc.Seccomp, &profile, decodeLinuxSeccomp); err != nil {
		return fmt.Errorf("cannot use linux.seccomp of config.json: %w", err)
	}
	doc.Spec.Linux.Seccomp = &profile
	return nil
}

// DecodeProcess parses a process object, which `exec --process` reads.
func DecodeProcess(data []byte) (*specs.Process, error) {
	var process specs.Process
	if err := decodeAll(data, &process, decodeProcess); err != nil {
		return nil, fmt.Errorf("cannot use process: %w", err)
	}
	return &process, nil
}

// DecodeSeccomp parses a seccomp profile in the format of linux.seccomp.
func DecodeSeccomp(data []byte) (*specs.LinuxSeccomp, error) {
	var profile specs.LinuxSeccomp
	if err := decodeAll(data, &profile, decodeLinuxSeccomp); err != nil {
		return nil, fmt.Errorf("cannot use seccomp profile: %w", err)
	}
	return &profile, nil
}

// DecodeResources parses a resources object, which `update --resources` reads.
func DecodeResources(data []byte) (*specs.LinuxResources, error) {
	var resources specs.LinuxResources
	if err := decodeAll(data, &resources, decodeLinuxResources); err != nil {
		return nil, fmt.Errorf("cannot use resources: %w", err)
	}
	return &resources, nil
}

// decodeAll decodes a text that is nothing but one value.
func decodeAll[T any](data []byte, value *T, decode func(*decoder, *T)) error {
	d := newDecoder(data)
	decode(d, value)
	return d.End()
}

// decoder is the cursor and what decoding config.json has to remember.
type decoder struct {
	json.Decoder
	arena                    []string // where stringList puts its elements
	seccompStart, seccompEnd int      // range of linux.seccomp, end 0 when absent or null
}

func newDecoder(data []byte) *decoder {
	d := new(decoder)
	d.Reset(data)
	return d
}

// rawSeccomp passes over linux.seccomp and remembers where it is.
func (d *decoder) rawSeccomp() {
	d.seccompStart, d.seccompEnd = 0, 0
	if d.Null() {
		return
	}
	start := d.Offset()
	if d.Object() {
		d.SkipRest()
		d.seccompStart, d.seccompEnd = start, d.Offset()
	}
}
