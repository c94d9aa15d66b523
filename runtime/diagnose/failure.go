package diagnose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Failure is what is known of something that went wrong.
type Failure struct {
	Context
	Call  string     // name of the system call, "" when none is known
	Errno unix.Errno // 0 when there is none
	Field string     // "mounts[0]", "linux.resources.memory.limit"; "" when no field is to blame
	What  string     // what was tried: completes "cannot …"
}

// Context is the container, or process, that is being made.
type Context struct {
	Config *specs.Spec
	Rootfs string // on the host
	Pid    int    // process that stands still where it failed; 0 when there is none
}

// Error is an error with its likely reason.
type Error struct {
	Err    error
	Kernel []string // what the kernel says of a file system that it would not mount
	Hint   string   // a sentence without a full stop; "" when no rule applies
	Rule   string   // name of the rule that gave the hint
}

func (e *Error) Error() string {
	text := e.Err.Error()
	if len(e.Kernel) > 0 {
		text += ": " + strings.Join(e.Kernel, ", ")
	}
	if e.Hint != "" {
		text += "; hint: " + e.Hint
	}
	return text
}

// Unwrap gives the error without the reason.
func (e *Error) Unwrap() error { return e.Err }

// Explain adds to err what is known of its reason. An error that has a reason already, or that no rule knows, comes
// back as it is.
func Explain(err error, c Context) error {
	if known := (*Error)(nil); err == nil || errors.As(err, &known) {
		return err
	}
	return ExplainFailure(err, failureOf(err, c))
}

// ExplainFailure is Explain for an err whose circumstances the caller knows.
func ExplainFailure(err error, f *Failure) error {
	e := &Error{Err: err}
	if f.Pid > 0 && (f.Call == "fsconfig" || f.Call == "fsmount") {
		e.Kernel = kernelMessages(f.Pid)
		for i := range e.Kernel {
			e.Kernel[i] = printable(e.Kernel[i])
		}
	}
	e.Rule, e.Hint = f.hint()
	e.Hint = printable(e.Hint)
	if e.Hint == "" && e.Kernel == nil {
		return err
	}
	return e
}

// printable escapes what is no printable character: a hint quotes files and links of an image, and an error is one
// line, on somebody's terminal or in a log.
func printable(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && text[i] >= utf8.RuneSelf && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// failureOf reads err: its errno, its system call, and the field that its sentence names.
func failureOf(err error, c Context) *Failure {
	f := &Failure{Context: c, What: err.Error(), Field: FieldOf(err.Error())}
	errors.As(err, &f.Errno)
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		f.Call = p.Op
	}
	if s := (*os.SyscallError)(nil); errors.As(err, &s) {
		f.Call = s.Syscall
	}
	return f
}

// roots are how config fields begin, as the sentences of this tree name them.
var roots = [...]string{"linux.", "process.", "mounts[", "hooks.", "root.", "annotations[", "mounts", "hostname", "domainname"}

// FieldOf finds the config field, or the flag, that a sentence names: the first in parentheses, or else the first
// word that can only be one.
func FieldOf(text string) string {
	text, _, _ = strings.Cut(text, " (see ") // advice
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "(")
		if !found {
			break
		}
		word, _, _ := strings.Cut(after, ")")
		word, _, _ = strings.Cut(word, " ")
		if isField(word, roots[:]) || strings.HasPrefix(word, "--") {
			return word
		}
		rest = after
	}
	for word := range strings.FieldsSeq(text) {
		word = strings.Trim(word, ":,;")
		if isField(word, roots[:4]) || strings.HasPrefix(word, "--") && len(word) > 2 {
			return word
		}
	}
	return ""
}

func isField(word string, roots []string) bool {
	for _, root := range roots {
		if strings.HasPrefix(word, root) {
			return true
		}
	}
	return false
}
