package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/dhow-containers/dhow/integration/vm/job"
)

// report turns what comes over the port into what go test -json prints.
type report struct {
	out    io.Writer
	code   int
	done   bool
	name   string // of the run that is on
	into   io.WriteCloser
	filter *exec.Cmd
	last   []string // lines of that run
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			if err := r.line(line); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) line(line string) error {
	text := strings.TrimSuffix(line, "\n")
	switch {
	case strings.HasPrefix(text, job.Begin):
		return r.begin(strings.TrimPrefix(text, job.Begin))
	case strings.HasPrefix(text, job.End):
		_, status, _ := strings.Cut(strings.TrimPrefix(text, job.End+r.name), " ")
		return r.end(status)
	case strings.HasPrefix(text, job.Note):
		r.code = 1
		progress("%s", strings.TrimPrefix(text, job.Note))
	case text == job.Done:
		r.done = true
	case r.into != nil:
		r.last = append(r.last[max(0, len(r.last)-60):], line)
		_, err := io.WriteString(r.into, line)
		return err
	default:
		fmt.Fprint(os.Stderr, line)
	}
	return nil
}

func (r *report) begin(name string) (err error) {
	progress("running %s", name)
	r.name, r.last = name, nil
	if name == "shell" {
		r.into, r.filter = os.Stdout, nil
		return nil
	}
	r.filter = exec.Command("go", "tool", "test2json", "-t", "-p", name)
	r.filter.Stdout, r.filter.Stderr = r.out, os.Stderr
	if r.into, err = r.filter.StdinPipe(); err != nil {
		return err
	}
	return r.filter.Start()
}

func (r *report) end(status string) error {
	if r.name == "shell" {
		if status != "0" {
			r.code = 1
			progress("exit status %s", status)
		}
		r.into = nil
		return nil
	}
	if status != "0" {
		r.code = 1
		fmt.Fprintf(r.into, "exit status %s\nFAIL\n", status)
	}
	if err := r.into.Close(); err != nil {
		return err
	}
	r.into = nil
	return r.filter.Wait()
}

// interrupted ends a run whose end never came.
func (r *report) interrupted() {
	if r.into == nil {
		return
	}
	if err := r.end("unknown: the machine is gone"); err != nil {
		progress("%v", err)
	}
	r.code = 1
}

// tail is the last output of a run that was not finished.
func (r *report) tail() string {
	if r.done || len(r.last) == 0 {
		return ""
	}
	return "last lines of " + r.name + ":\n" + strings.Join(r.last, "")
}
