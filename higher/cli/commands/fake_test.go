package commands_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fake is a daemon with a few things in it, which notes what it is asked.
type fake struct {
	socket string
	mu     sync.Mutex
	seen   []string
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{socket: filepath.Join(t.TempDir(), "api.sock")}
	l, err := net.Listen("unix", f.socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: f}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return f
}

// take returns the requests since the last call.
func (f *fake) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.seen
	f.seen = nil
	return s
}

var versioned = regexp.MustCompile(`^/v[0-9.]+`)

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.50")
	w.Header().Set("Ostype", "linux")
	w.Header().Set("Docker-Experimental", "true")
	path := versioned.ReplaceAllString(r.URL.Path, "")
	if path == "/_ping" {
		return
	}
	body, _ := io.ReadAll(r.Body)
	f.note(r, path, body)
	for _, a := range answers {
		if m := a.match(r.Method, path); m != nil {
			a.do(w, r, m, body)
			return
		}
	}
	fail(w, http.StatusNotFound, "page not found")
}

func (f *fake) note(r *http.Request, path string, body []byte) {
	s := r.Method + " " + path
	if q := query(r.URL.Query()); q != "" {
		s += "?" + q
	}
	if h := r.Header.Get("X-Registry-Auth"); h != "" {
		plain, _ := base64.URLEncoding.DecodeString(h)
		s += " auth=" + string(normal(plain))
	}
	if strings.HasSuffix(path, "/exec") { // docker says it twice
		body = bytes.Replace(body, []byte(`"Detach":true`), []byte(`"Detach":false`), 1)
	}
	switch {
	case strings.HasSuffix(path, "/archive") || strings.HasSuffix(path, "/load") || path == "/images/create":
		s += fmt.Sprintf(" (%d bytes)", len(body))
		if strings.HasSuffix(path, "/archive") && len(body) > 0 {
			s = strings.TrimSuffix(s, fmt.Sprintf(" (%d bytes)", len(body))) + " " + tarList(body)
		}
	case len(body) > 0:
		s += " " + string(normal(body))
	}
	f.mu.Lock()
	f.seen = append(f.seen, s)
	f.mu.Unlock()
}

// query is sorted, with the lists inside of JSON sorted, too.
func query(q url.Values) string {
	for k, vs := range q {
		// What says nothing, and what the two clients write differently.
		if vs[0] == "" || k == "tail" && vs[0] == "all" || k == "verbose" {
			delete(q, k)
			continue
		}
		if k == "stream" && vs[0] == "false" {
			q[k] = []string{"0"}
		}
		for i, v := range vs {
			if strings.HasPrefix(v, "{") {
				q[k][i] = string(normal([]byte(v)))
			}
		}
	}
	s, _ := url.QueryUnescape(q.Encode())
	return s
}

// normal is JSON with its keys in order, without what is empty: programs differ in whether they write that.
func normal(data []byte) []byte {
	var v any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return data
	}
	out, _ := json.Marshal(clean(v))
	return out
}

func clean(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if list, ok := x.([]any); ok && (k == "Env" || k == "Binds") {
				sortStrings(list) // docker's come in any order
			}
			if size, _ := json.Marshal(x); k == "ConsoleSize" && string(size) == "[0,0]" {
				x = nil
			}
			if x = clean(x); empty(x) {
				delete(v, k)
			} else {
				v[k] = x
			}
		}
	case []any:
		for i := range v {
			v[i] = clean(v[i])
		}
	}
	return v
}

func sortStrings(list []any) {
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case json.Number:
		return v.String() == "0"
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

type answer struct {
	method string
	path   *regexp.Regexp
	do     func(w http.ResponseWriter, r *http.Request, m []string, body []byte)
}

func (a *answer) match(method, path string) []string {
	if a.method != method {
		return nil
	}
	return a.path.FindStringSubmatch(path)
}

func on(method, path string, do func(w http.ResponseWriter, r *http.Request, m []string, body []byte)) answer {
	return answer{method, regexp.MustCompile("^" + path + "$"), do}
}

func fixed(method, path, text string) answer {
	return on(method, path, func(w http.ResponseWriter, _ *http.Request, _ []string, _ []byte) { reply(w, text) })
}

func nothing(method, path string) answer {
	return on(method, path, func(w http.ResponseWriter, _ *http.Request, m []string, _ []byte) {
		if len(m) > 1 && strings.HasPrefix(m[1], "no") {
			fail(w, http.StatusNotFound, "No such container: "+m[1])
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

func reply(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, text)
}

func fail(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]string{"message": text})
}

// hijack answers with a stream of frames.
func hijack(w http.ResponseWriter, frames ...string) {
	c, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	io.WriteString(c, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	for i, f := range frames {
		frame(c, byte(i+1), f)
	}
	io.Copy(io.Discard, rw) // to the end of its input
}

func frame(w io.Writer, stream byte, text string) {
	var h [8]byte
	h[0] = stream
	binary.BigEndian.PutUint32(h[4:], uint32(len(text)))
	w.Write(append(h[:], text...))
}

func tarList(data []byte) string {
	names := tarNames(data)
	slices.Sort(names)
	return "[" + strings.Join(names, " ") + "]"
}
