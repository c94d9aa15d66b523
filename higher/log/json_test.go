package log

import (
	"encoding/json"
	"testing"
	"time"
)

// FuzzJSON holds the quick way of reading an entry against encoding/json: what it takes, it reads alike.
func FuzzJSON(f *testing.F) {
	for _, line := range []string{
		`{"log":"one\n","stream":"stdout","time":"2024-01-01T00:00:01.5Z"}`,
		`{"log":"\u003ca \"b\" \\ \/ \t\r\u00e4 ä\u2028","stream":"stderr","time":"2024-01-01T00:00:01+02:00"}`,
		`{"log":"\ud83d\ude00","stream":"stdout","attrs":{"a":"b"},"time":"2024-01-01T00:00:01Z"}`,
		`{"log":"x","stream":"stdout","time":"2024-01-01T00:00:01Z","time":"2024-01-01T00:00:02Z"}`,
		"{\"log\":\"\xff\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:01Z\"}",
		"{\"log\":\"\x01\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:01Z\"}\r\n",
		`{"log":"x","stream":"stdout","time":"2024-01-01T00:00:01Z\n"}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var e entry
		if new(jsonFormat).quick(line, &e) {
			wantsAsJSON(t, line, &e)
		}
	})
}

func wantsAsJSON(t *testing.T, line []byte, e *entry) {
	t.Helper()
	var full struct {
		Log, Stream string
		Time        time.Time
	}
	if err := json.Unmarshal(line, &full); err != nil {
		t.Fatalf("%q is no JSON: %v", line, err)
	}
	if full.Log != string(e.line) || full.Stream != e.stream || !full.Time.Equal(e.at) {
		t.Errorf("%q: got %q %s %v, want %+v", line, e.line, e.stream, e.at, full)
	}
}

// TestQuick has no allocation for an entry as log writers make it.
func TestQuick(t *testing.T) {
	var f jsonFormat
	var e entry
	line := []byte(`{"log":"\u003ctag\u003e \"ä\"\n","stream":"stderr","time":"2024-01-01T00:00:01.123456789Z"}` + "\n")
	if n := testing.AllocsPerRun(100, func() {
		if !f.quick(line, &e) {
			t.Fatal("it was not read")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	wantsAsJSON(t, line, &e)
}
