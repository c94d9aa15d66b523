package integration

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// event is a line of `events`, with its data as a tree.
type event struct {
	Type string         `json:"type"`
	ID   string         `json:"id"`
	Data map[string]any `json:"data"`
}

// at follows a path such as "memory/usage/limit"; nil where it ends early.
func (e *event) at(path string) any {
	var v any = e.Data
	for name := range strings.SplitSeq(path, "/") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func (e *event) number(path string) int64 {
	n, _ := e.at(path).(json.Number)
	i, _ := n.Int64()
	return i
}

// Stats asks for a container's statistics.
func (r *cli) Stats(id string) *event {
	r.t.Helper()
	out := r.Must("events", "--stats", id).Stdout
	if strings.Count(out, "\n") != 1 {
		r.t.Errorf("more than one line: %s", clip(out))
	}
	e := parseEvent(r.t, out)
	if e.Type != "stats" || e.ID != id {
		r.t.Errorf("got %s", clip(out))
	}
	return e
}

func parseEvent(t *testing.T, line string) *event {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	e := &event{}
	if err := d.Decode(e); err != nil {
		t.Fatalf("cannot decode %q: %v", clip(line), err)
	}
	return e
}

// stream is an `events` that runs; lines are its events, until it ends.
type stream struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan *event
}

func (r *cli) Events(args ...string) *stream {
	r.t.Helper()
	cmd := r.Command(append([]string{"events"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(r.t, err)
	must(r.t, cmd.Start())
	s := &stream{r.t, cmd, make(chan *event, 1024)}
	r.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	go func() {
		defer close(s.lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			e := &event{}
			if err := json.Unmarshal(scan.Bytes(), e); err != nil {
				e.Type = "not JSON: " + scan.Text()
			}
			s.lines <- e
		}
	}()
	return s
}

// next is the next event, nil at the end of the stream.
func (s *stream) next() *event {
	s.t.Helper()
	select {
	case e := <-s.lines:
		return e
	case <-time.After(patience):
		s.t.Fatal("no event")
		return nil
	}
}

// until waits for an event of a type.
func (s *stream) until(kind string) *event {
	s.t.Helper()
	for {
		switch e := s.next(); {
		case e == nil:
			s.t.Fatalf("the stream ended before an event of type %q", kind)
		case e.Type == kind:
			return e
		}
	}
}

// ended checks that nothing but kinds comes until the stream ends, with success.
func (s *stream) ended(kinds ...string) {
	s.t.Helper()
	for e := s.next(); e != nil; e = s.next() {
		if !slices.Contains(kinds, e.Type) {
			s.t.Errorf("event of type %q", e.Type)
		}
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("events: %v", err)
	}
}

// leaves lists what a tree holds at each path, empty objects left out.
func leaves(path string, v any) map[string]string {
	switch v := v.(type) {
	case map[string]any:
		all := map[string]string{}
		for name, inner := range v {
			for p, kind := range leaves(path+"/"+name, inner) {
				all[p] = kind
			}
		}
		return all
	case []any:
		kind := "list of " + itoa(len(v))
		if strings.HasPrefix(path, "/blkio/") {
			kind = "list"
		}
		return map[string]string{path: kind}
	case json.Number:
		return map[string]string{path: "number"}
	case nil:
		return map[string]string{path: "null"}
	}
	return map[string]string{path: "string"}
}
