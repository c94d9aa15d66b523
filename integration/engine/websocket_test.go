package engine

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"github.com/dhow-containers/dhow/integration"
)

// webSocket attaches a web socket's client to a container.
func webSocket(t *testing.T, d *daemon, name, query string) *websocket.Conn {
	t.Helper()
	conn, err := net.Dial("unix", strings.TrimPrefix(d.Socket(), "unix://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(integration.EnginePatience)); err != nil {
		t.Fatal(err)
	}
	config, err := websocket.NewConfig("ws://docker/v1.47/containers/"+name+"/attach/ws?"+query, "http://docker")
	if err != nil {
		t.Fatal(err)
	}
	ws, err := websocket.NewClient(config, conn)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

// receives reads until text has come.
func receives(t *testing.T, ws *websocket.Conn, text string) {
	t.Helper()
	var got strings.Builder
	for buf := make([]byte, 4096); !strings.Contains(got.String(), text); {
		n, err := ws.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v after %q, waited for %q", err, got.String(), text)
		}
	}
}

func sends(t *testing.T, ws *websocket.Conn, text string) {
	t.Helper()
	if _, err := ws.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestWebSocket(t *testing.T) {
	d := sharedDaemon(t)
	remover(t, d, "ws")
	d.must(t, "run", "-d", "-i", "--name", "ws", "busybox", "sh", "-c", "echo first; while read x; do echo out-$x; echo err-$x >&2; done")
	await(t, "the first line", func() bool { return d.must(t, "logs", "ws") == "first" })

	all := webSocket(t, d, "ws", "logs=1&stream=1&stdin=1&stdout=1&stderr=1")
	receives(t, all, "first\n")
	sends(t, all, "zero\n") // what a client sends is read when it is attached: before, it would miss the answer
	receives(t, all, "err-zero\n")
	errors := webSocket(t, d, "ws", "stream=1&stdin=1&stderr=1")
	sends(t, errors, "one\n")
	receives(t, all, "out-one\n") // what it has, nobody gets who attaches now
	if text := readSome(t, errors); text != "err-one\n" {
		t.Errorf("standard error alone: %q", text)
	}
	all.Close()
	again := webSocket(t, d, "ws", "stream=1&stdin=1&stdout=1")
	sends(t, again, "two\n")
	if text := readSome(t, again); text != "out-two\n" {
		t.Errorf("after another has gone: %q", text)
	}
	logs, err := io.ReadAll(webSocket(t, d, "ws", "stream=0&logs=1&stdout=1"))
	if err != nil || string(logs) != "first\nout-zero\nout-one\nout-two\n" {
		t.Errorf("the log alone: %q, %v", logs, err)
	}
	d.must(t, "kill", "ws")
	if rest, err := io.ReadAll(again); err != nil || len(rest) > 0 {
		t.Errorf("at the container's end: %q, %v", rest, err)
	}
}

func readSome(t *testing.T, ws *websocket.Conn) string {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := ws.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestWebSocketDetach(t *testing.T) {
	d := sharedDaemon(t)
	remover(t, d, "wstty")
	d.must(t, "run", "-d", "-it", "--name", "wstty", "busybox", "sh")
	ws := webSocket(t, d, "wstty", "stream=1&stdin=1&stdout=1&detachKeys=ctrl-x,x")
	sends(t, ws, "echo $((6*7))y\n")
	receives(t, ws, "42y")
	sends(t, ws, "\x18x")
	if _, err := io.Copy(io.Discard, ws); err != nil {
		t.Errorf("after the keys: %v", err)
	}
	d.wants(t, "running", 0, "inspect", "-f", "{{.State.Status}}", "wstty")
}
