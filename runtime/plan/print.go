package plan

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"golang.org/x/sys/unix"
)

// WriteTable prints the Program for a reader: what the parent prepares, then one line a step.
func (p *Program) WriteTable(w io.Writer) error {
	buf := bufio.NewWriter(w)
	fmt.Fprintf(buf, "clone3 %s\n", flags(uint64(p.Clone), cloneWords))
	p.tableHost(buf)
	tab := tabwriter.NewWriter(buf, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tab, "\nSTEP\tCALL\tTHEN\tTO\tFOR")
	last := int32(-1)
	for i := range p.Steps {
		s := &p.Steps[i]
		what, field := "", ""
		if s.Task != last {
			what, field, last = p.Tasks[s.Task].What, p.Tasks[s.Task].Field, s.Task
		}
		fmt.Fprintf(tab, "%d\t%s\t%s\t%s\t%s\n", i, s.withResult(), s.flow(int32(i)), what, field)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	return buf.Flush()
}

// tableHost prints what the parent does before the clone.
func (p *Program) tableHost(w io.Writer) {
	for _, line := range p.Host {
		fmt.Fprintf(w, "host   %s\n", line)
	}
	for i := range p.Files {
		f := &p.Files[i]
		fmt.Fprintf(w, "fd %-3d %s\n", f.FD, f.format())
	}
}

func (f *File) format() string {
	text := ""
	switch f.Kind {
	case OpenPath, CgroupTask:
		text = fmt.Sprintf("open(%q, %s)", f.Path, flags(uint64(f.Flags)|unix.O_CLOEXEC, openWords))
	case OpenTree:
		text = fmt.Sprintf("open_tree(%q, %s)", f.Path, flags(uint64(f.Flags)|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC, treeWords))
	case Listener:
		text = "listening socket " + f.Path
	case Pidfd:
		text = f.Path
	}
	if f.Field != "" {
		text += "  " + f.Field
	}
	return text
}

func (s *Step) withResult() string {
	if s.Save == 0 {
		return s.format()
	}
	return fmt.Sprintf("r%d = %s", s.Save, s.format())
}

// flow says where the Program goes from step i when that is not simply on.
func (s *Step) flow(i int32) string {
	if s.Op == Compare {
		return fmt.Sprintf("equal → %d, else → %d", s.Next, s.Else)
	}
	var parts []string
	if s.Next != i+1 {
		parts = append(parts, fmt.Sprintf("→ %d", s.Next))
	}
	to := ""
	if s.Else != i+1 {
		to = fmt.Sprintf(" → %d", s.Else)
	}
	if s.Any {
		parts = append(parts, "any error"+to)
	}
	if names := s.tolerated(); len(names) > 0 {
		parts = append(parts, strings.Join(names, "|")+to)
	}
	return strings.Join(parts, ", ")
}

func (s *Step) tolerated() []string {
	var names []string
	for _, e := range s.Ok {
		if e != 0 {
			names = append(names, unix.ErrnoName(e))
		}
	}
	return names
}

type jsonProgram struct {
	Clone []string   `json:"clone"`
	Host  []string   `json:"host,omitempty"`
	Files []jsonFile `json:"files"`
	Steps []jsonStep `json:"steps"`
}

type jsonFile struct {
	FD    int    `json:"fd"`
	Open  string `json:"open"`
	Path  string `json:"path"`
	Field string `json:"field,omitempty"`
}

type jsonStep struct {
	Step      int      `json:"step"`
	Operation string   `json:"operation"`
	Text      string   `json:"text"`
	Result    uint32   `json:"result,omitempty"`
	Next      int32    `json:"next"`
	Else      int32    `json:"else,omitempty"`
	Tolerates []string `json:"tolerates,omitempty"`
	AnyError  bool     `json:"anyError,omitempty"`
	Message   string   `json:"message,omitempty"`
	What      string   `json:"what"`
	Field     string   `json:"field,omitempty"`
}

var opNames = [...]string{Rendezvous: "rendezvous", Load: "load", Store: "store", Compare: "compare", Fail: "fail", Exit: "exit"}

// WriteJSON prints the Program as one JSON object.
func (p *Program) WriteJSON(w io.Writer) error {
	out := jsonProgram{Clone: []string{}, Host: p.Host, Files: []jsonFile{}}
	if p.Clone != 0 {
		out.Clone = strings.Split(flags(uint64(p.Clone), cloneWords), "|")
	}
	for i := range p.Files {
		f := &p.Files[i]
		out.Files = append(out.Files, jsonFile{f.FD, f.format(), f.Path, f.Field})
	}
	for i := range p.Steps {
		out.Steps = append(out.Steps, p.jsonStep(i))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func (p *Program) jsonStep(i int) jsonStep {
	s, info := &p.Steps[i], p.Describe(i)
	j := jsonStep{Step: i, Operation: opNames[s.Op], Text: s.format(), Result: uint32(s.Save), Next: s.Next,
		Tolerates: s.tolerated(), AnyError: s.Any, Message: info.Message, What: info.What, Field: info.Field}
	if s.Op == Syscall {
		j.Operation = info.Call
	}
	if s.Else != int32(i+1) || s.Op == Compare {
		j.Else = s.Else
	}
	return j
}
