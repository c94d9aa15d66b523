package checkpoint

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/checkpoint-restore/go-criu/v8/rpc"
	"golang.org/x/sys/unix"
)

// Failure says that criu could not do what it was asked to.
type Failure struct {
	Verb   string // dump, pre-dump, restore, …
	Errno  unix.Errno
	Reason string   // how criu ended, or the first error that it met; mostly ""
	Log    string   // path of criu's log; "" without one
	Lines  []string // the last errors of the log
}

func (f *Failure) Error() string {
	var b strings.Builder
	b.WriteString("criu cannot " + f.Verb)
	if f.Errno != 0 {
		fmt.Fprintf(&b, " (%s)", f.Errno)
	}
	switch {
	case len(f.Lines) > 0:
		b.WriteString(": " + strings.Join(f.Lines, "; "))
	case f.Reason != "":
		b.WriteString(": " + f.Reason)
	}
	if f.Log != "" {
		b.WriteString(" (criu's log: " + f.Log + ")")
	}
	return b.String()
}

// Explain reads the errors of criu's log, which is in dir, if there is one.
func (f *Failure) Explain(dir, name string) {
	path := filepath.Join(dir, name)
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close() // read only
	f.Log = path
	s := bufio.NewScanner(file)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		if line := errorOf(s.Text()); line != "" {
			f.Lines = append(f.Lines, line)
			if len(f.Lines) > maxLines {
				f.Lines = f.Lines[1:]
			}
		}
	}
}

// maxLines is how many errors of the log are quoted, the last ones; maxLine the longest line read, in bytes.
const (
	maxLines = 5
	maxLine  = 1 << 20
)

// errorOf returns what a line of criu's log says, without time and source line, if it is an error: of those
// that only say that something failed, and of the one that criu itself goes on after, nothing.
func errorOf(line string) string {
	_, text, found := strings.Cut(line, "Error (")
	if !found {
		return ""
	}
	if _, after, ok := strings.Cut(text, "): "); ok {
		text = after
	}
	text = strings.TrimSpace(text)
	if strings.HasSuffix(text, " FAILED.") || strings.HasPrefix(text, "rlimit: Can't setup RLIMIT_NOFILE for self") {
		return ""
	}
	return text
}

// died says how criu ended.
func died(ws unix.WaitStatus) string {
	if ws.Signaled() {
		return fmt.Sprintf("it was killed by signal %d (%s)", int(ws.Signal()), ws.Signal())
	}
	return fmt.Sprintf("it ended with status %d and without an answer", ws.ExitStatus())
}

func verbs(t rpc.CriuReqType) string {
	switch t {
	case rpc.CriuReqType_DUMP:
		return "dump"
	case rpc.CriuReqType_PRE_DUMP:
		return "pre-dump"
	case rpc.CriuReqType_RESTORE:
		return "restore"
	case rpc.CriuReqType_FEATURE_CHECK:
		return "say what it supports"
	}
	return "say its version"
}
