package api

import (
	"encoding/json"
	"net/http"

	"github.com/moby/moby/api/types/jsonstream"
)

// writeJSON answers with a value.
func writeJSON(w http.ResponseWriter, code int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// empty answers with a status alone.
func empty(w http.ResponseWriter, code int, err error) error {
	if err == nil {
		w.WriteHeader(code)
	}
	return err
}

// list answers with a list that is never null.
func list[T any](w http.ResponseWriter, items []T, err error) error {
	if err != nil {
		return err
	}
	if items == nil {
		items = []T{}
	}
	return writeJSON(w, http.StatusOK, items)
}

// value answers with a value unless there is an error.
func value(w http.ResponseWriter, code int, v any, err error) error {
	if err != nil {
		return err
	}
	return writeJSON(w, code, v)
}

// message is a line of a long answer; clients from before jsonstream read an error's text in `error`, and the drawn
// progress bar in `progress`, which they fall back from when it is absent.
type message struct {
	jsonstream.Message
	ErrorText string `json:"error,omitempty"`
}

// progress sends the lines of a long answer, each at once.
type progress struct {
	w       http.ResponseWriter
	started bool
	err     error
}

func (p *progress) send(m jsonstream.Message) { p.write(message{Message: m}) }

func (p *progress) write(m message) {
	if p.err != nil {
		return
	}
	if !p.started {
		p.started = true
		p.w.Header().Set("Content-Type", "application/json")
		p.w.WriteHeader(http.StatusOK)
	}
	p.err = emit(p.w, m)
}

// end answers with the error of what made progress: as a status when nothing was sent yet, else as the last line.
func (p *progress) end(err error) error {
	switch {
	case err == nil:
		if !p.started {
			p.w.Header().Set("Content-Type", "application/json")
			p.w.WriteHeader(http.StatusOK)
		}
		return nil
	case !p.started:
		return err
	}
	p.write(message{
		Message:   jsonstream.Message{Error: &jsonstream.Error{Message: err.Error()}},
		ErrorText: err.Error(),
	})
	return nil
}

// emit writes one JSON value of a stream, and sends it.
func emit(w http.ResponseWriter, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := w.Write(append(line, '\r', '\n')); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}

// final sends a line unless it only tells how far something is.
func (p *progress) final(m jsonstream.Message) {
	if m.Progress == nil {
		p.send(m)
	}
}
