package cgroup

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// fakeSystemd answers on a socket like systemd, and on a bus like the bus too. Its side of the protocol is
// godbus's.
type fakeSystemd struct {
	t       *testing.T
	answer  map[string]func(f *fakeSystemd, call *godbus.Message) // by member
	results []string                                              // of the next jobs; "" for none at all

	mu    sync.Mutex
	calls []string
	conn  net.Conn
	jobs  int
}

func serveSystemd(t *testing.T, socket string) *fakeSystemd {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	f := &fakeSystemd{t: t, answer: map[string]func(*fakeSystemd, *godbus.Message){}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.conn = conn
			f.serve(conn)
			conn.Close()
		}
	}()
	return f
}

// fakeHost is the systemd of the host.
func fakeHost(t *testing.T) *fakeSystemd {
	t.Helper()
	old, oldBus := systemdSocket, systemBus
	systemdSocket = filepath.Join(t.TempDir(), "private")
	systemBus = "unix:path=" + filepath.Join(t.TempDir(), "none")
	t.Cleanup(func() { systemdSocket, systemBus = old, oldBus })
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "")
	return serveSystemd(t, systemdSocket)
}

func shorterWait(t *testing.T, d time.Duration) {
	old := unitLimit
	unitLimit = d
	t.Cleanup(func() { unitLimit = old })
}

// on sets the answer to a call; nil stands for the usual one.
func (f *fakeSystemd) on(member string, answer func(*fakeSystemd, *godbus.Message)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer[member] = answer
}

// next sets the results of the next jobs.
func (f *fakeSystemd) next(results ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.results = results
}

// history is the text of all calls so far.
func (f *fakeSystemd) history() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.calls, " ")
}

func (f *fakeSystemd) serve(conn net.Conn) {
	r := bufio.NewReader(conn)
	if zero, err := r.ReadByte(); err != nil || zero != 0 {
		f.t.Errorf("the first byte is %d, %v", zero, err)
		return
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch line {
		case "AUTH EXTERNAL\r\n":
			fmt.Fprint(conn, "DATA\r\n")
		case "DATA\r\n":
			fmt.Fprint(conn, "OK 0123456789abcdef0123456789abcdef\r\n")
		case "BEGIN\r\n":
			for f.message(r) {
			}
			return
		default:
			fmt.Fprint(conn, "ERROR\r\n")
		}
	}
}

func (f *fakeSystemd) message(r *bufio.Reader) bool {
	m, err := godbus.DecodeMessage(r)
	if err != nil {
		return false
	}
	member := m.Headers[godbus.FieldMember].Value().(string)
	f.mu.Lock()
	f.calls = append(f.calls, member+bodyText(m.Body))
	answer := f.answer[member]
	f.mu.Unlock()
	switch {
	case answer != nil:
		answer(f, m)
	case member == "StartTransientUnit" || member == "StopUnit":
		f.job(m)
	default:
		f.reply(m)
	}
	return true
}

// bodyText shows strings and numbers; of a list of properties their names.
func bodyText(body []any) string {
	var words []string
	for _, v := range body {
		switch x := v.(type) {
		case [][]any:
			for _, p := range x {
				words = append(words, fmt.Sprintf("%v=%v", p[0], p[1].(godbus.Variant).Value()))
			}
		default:
			words = append(words, fmt.Sprint(x))
		}
	}
	return "(" + strings.Join(words, " ") + ")"
}

func (f *fakeSystemd) send(m *godbus.Message) {
	if err := m.EncodeTo(f.conn, binary.LittleEndian); err != nil {
		f.t.Logf("send: %v", err)
	}
}

func (f *fakeSystemd) reply(call *godbus.Message, body ...any) {
	m := &godbus.Message{Type: godbus.TypeMethodReply, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldReplySerial: godbus.MakeVariant(call.Serial()),
	}, Body: body}
	if len(body) > 0 {
		m.Headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.SignatureOf(body...))
	}
	f.send(m)
}

func (f *fakeSystemd) fail(call *godbus.Message, name string) {
	text := "it is so"
	f.send(&godbus.Message{Type: godbus.TypeError, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldReplySerial: godbus.MakeVariant(call.Serial()), godbus.FieldErrorName: godbus.MakeVariant(name),
		godbus.FieldSignature: godbus.MakeVariant(godbus.SignatureOf(text)),
	}, Body: []any{text}})
}

// job answers with a job, and ends another one first; its own end comes even before the answer.
func (f *fakeSystemd) job(call *godbus.Message) {
	f.jobs++
	job := godbus.ObjectPath(fmt.Sprintf("/org/freedesktop/systemd1/job/%d", f.jobs))
	result := "done"
	f.mu.Lock()
	if len(f.results) > 0 {
		result, f.results = f.results[0], f.results[1:]
	}
	f.mu.Unlock()
	f.jobRemoved(99, "/org/freedesktop/systemd1/job/99", "failed")
	if result != "" {
		f.jobRemoved(uint32(f.jobs), job, result)
	}
	f.reply(call, job)
}

func (f *fakeSystemd) jobRemoved(id uint32, job godbus.ObjectPath, result string) {
	body := []any{id, job, "x.scope", result}
	f.send(&godbus.Message{Type: godbus.TypeSignal, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldPath: godbus.MakeVariant(godbus.ObjectPath(managerPath)), godbus.FieldInterface: godbus.MakeVariant(managerInterface),
		godbus.FieldMember: godbus.MakeVariant("JobRemoved"), godbus.FieldSignature: godbus.MakeVariant(godbus.SignatureOf(body...)),
	}, Body: body})
}

func (f *fakeSystemd) said(want ...string) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.calls, want) {
		f.t.Errorf("calls:\n%s\nwant\n%s", strings.Join(f.calls, "\n"), strings.Join(want, "\n"))
	}
}
