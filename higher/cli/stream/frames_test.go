package stream

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// journal notes each write to one of several outputs.
type journal struct{ lines []string }

type output struct {
	name string
	to   *journal
}

func (o output) Write(p []byte) (int, error) {
	o.to.lines = append(o.to.lines, fmt.Sprintf("%s %q", o.name, p))
	return len(p), nil
}

func frame(stream byte, text string) string {
	return string([]byte{stream, 0, 0, 0, 0, 0, 0, byte(len(text))}) + text
}

// TestFrames has frames that come at once written at once, in the order of the two streams, and before more is read.
func TestFrames(t *testing.T) {
	var j journal
	first := frame(1, "a\n") + frame(1, "b\n") + frame(2, "c\n") + frame(1, "d\n") + frame(2, "e\n")[:3]
	r := io.MultiReader(strings.NewReader(first), reading{&j}, strings.NewReader(frame(2, "e\n")[3:]))
	if err := Frames(output{"out", &j}, output{"err", &j}, r); err != nil {
		t.Fatal(err)
	}
	want := []string{`out "a\nb\n"`, `err "c\n"`, `out "d\n"`, "read", `err "e\n"`}
	if got := strings.Join(j.lines, "; "); got != strings.Join(want, "; ") {
		t.Errorf("got %s\nwant %s", got, strings.Join(want, "; "))
	}
}

// reading notes that it is read from.
type reading struct{ to *journal }

func (r reading) Read([]byte) (int, error) {
	r.to.lines = append(r.to.lines, "read")
	return 0, io.EOF
}

func TestFramesBroken(t *testing.T) {
	err := Frames(io.Discard, io.Discard, bytes.NewReader([]byte{9, 0, 0, 0, 0, 0, 0, 1, 'x'}))
	if err == nil {
		t.Error("a stream that there is not was copied")
	}
}
