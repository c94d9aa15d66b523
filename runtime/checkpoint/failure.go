package checkpoint

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/checkpoint-restore/go-criu/v8/rpc"
	"golang.org/x/sys/unix"
)

// Failure says that criu could not do what it was asked to.
type Failure struct {
	Verb   string // dump, pre-dump, restore, …
	Errno  unix.Errno
	Ended  string   // how the process ended that is restored, when that is the reason
	Died   string   // how criu ended, when it gave no answer
	Reason string   // the first error that criu met; mostly ""
	Log    string   // path of criu's log; "" without one
	Lines  []string // the last errors of the log
}

func (f *Failure) Error() string {
	text := "criu cannot " + f.Verb
	if f.Errno != 0 {
		text += fmt.Sprintf(" (%s)", f.Errno)
	}
	if f.Ended != "" {
		text = "the restored process " + f.Ended + " while criu restored it"
	} else if reasons := f.reasons(); len(reasons) > 0 {
		text += ": " + strings.Join(reasons, "; ")
	}
	if f.Log != "" {
		text += " (criu's log: " + f.Log + ")"
	}
	return text
}

func (f *Failure) reasons() []string {
	list := f.Lines
	if len(list) == 0 && f.Reason != "" {
		list = []string{f.Reason}
	}
	if f.Died != "" {
		list = append([]string{f.Died}, list...)
	}
	return list
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
			if len(f.Lines) == 0 && f.Ended == "" {
				f.Ended = killed(line) // the other errors follow from that
			}
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
// that only say that something failed, and of the one that criu itself goes on after, nothing. That there is no page
// server is not marked as an error.
func errorOf(line string) string {
	if _, text, found := strings.Cut(line, ") Can't connect to server "); found {
		return "cannot connect to the page server " + text
	}
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

// killed says how a restored process was killed if that is what an error of criu's, "PID killed by signal N: NAME", says; criu
// itself kills only after other errors.
func killed(line string) string {
	pid, text, found := strings.Cut(line, " killed by signal ")
	number, _, _ := strings.Cut(text, ":")
	sig, err := strconv.Atoi(number)
	if _, e := strconv.Atoi(pid); !found || err != nil || e != nil {
		return ""
	}
	return byKill(unix.Signal(sig))
}

func byKill(sig unix.Signal) string {
	return fmt.Sprintf("was killed by signal %d (%s)", int(sig), sig)
}

// died says how criu ended.
func died(ws unix.WaitStatus) string {
	if ws.Signaled() {
		return "it " + byKill(ws.Signal())
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
