package plan

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sys/unix"
)

// WriteTable prints the Program for a reader: what the parent prepares, then the steps, each under the
// task that it is a part of and the config field that asked for it.
func (p *Program) WriteTable(w io.Writer) error {
	buf := bufio.NewWriter(w)
	fmt.Fprintf(buf, "clone3 %s\n", flags(uint64(p.Clone), cloneWords))
	p.tableHost(buf)
	last := int32(-1)
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Task != last {
			fmt.Fprintf(buf, "\n%s\n", p.Tasks[s.Task])
			last = s.Task
		}
		fmt.Fprintf(buf, "%5d  %s\n", i, s.line(int32(i)))
	}
	return buf.Flush()
}

// String is the task with the field that asked for it.
func (t Task) String() string {
	if t.Field == "" {
		return t.What
	}
	return t.What + "  (" + t.Field + ")"
}

// line spells step i with where it goes on, when that is not simply at the next one.
func (s *Step) line(i int32) string {
	if s.Op == Compare {
		return s.branch()
	}
	text, flow := s.withResult(), s.flow(i)
	if flow == "" {
		return text
	}
	return text + "  " + flow
}

// branch spells a Compare. One of two equal constants is how a Program jumps.
func (s *Step) branch() string {
	a, b := &s.Args[0], &s.Args[1]
	if a.Kind == Imm && b.Kind == Imm && a.Val == b.Val {
		return fmt.Sprintf("go to %d", s.Next)
	}
	return fmt.Sprintf("if %s == %s go to %d, else to %d", a.format('x'), b.format('x'), s.Next, s.Else)
}

// tableHost prints what the parent does before the clone, and then for the steps.
func (p *Program) tableHost(w io.Writer) {
	for _, line := range p.Host {
		fmt.Fprintf(w, "host   %s\n", line)
	}
	for i := range p.Files {
		f := &p.Files[i]
		fmt.Fprintf(w, "fd %-3d %s\n", f.FD, Task{f.format(), f.Field})
	}
	for _, id := range p.IDMaps {
		fmt.Fprintf(w, "later  %s\n", Task{id.String(), id.Field})
	}
}

func (f *File) format() string {
	text := ""
	switch f.Kind {
	case OpenPath, CgroupTask:
		text = fmt.Sprintf("open(%q, %s)", f.Path, flags(uint64(f.Flags)|unix.O_CLOEXEC, openWords))
	case OpenTree:
		text = fmt.Sprintf("open_tree(%q, %s)", f.Path, flags(uint64(f.Flags)|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC, treeWords))
		if f.IDMap != nil {
			text += ", " + f.IDMap.String()
		}
	case Listener:
		text = "listening socket " + f.Path
	case Pidfd:
		text = f.Path
	case Network:
		text = fmt.Sprintf("unshare(CLONE_NEWNET), open(%q, O_RDONLY|O_CLOEXEC)", f.Path)
	case HostProc:
		text = "procfs on " + f.Path
	}
	return text
}

func (s *Step) withResult() string {
	if s.Save == 0 {
		return s.format()
	}
	return fmt.Sprintf("r%d = %s", s.Save, s.format())
}

// flow says where the Program goes from step i, and after which errors.
func (s *Step) flow(i int32) string {
	var parts []string
	if s.Next != i+1 {
		parts = append(parts, fmt.Sprintf("then go to %d", s.Next))
	}
	to := " go on"
	if s.Else != i+1 {
		to = fmt.Sprintf(" go to %d", s.Else)
	}
	if s.Any {
		parts = append(parts, "on any error"+to)
	}
	if names := s.tolerated(); len(names) > 0 {
		parts = append(parts, "on "+strings.Join(names, "|")+to)
	}
	if len(parts) == 0 {
		return ""
	}
	return "[" + strings.Join(parts, ", ") + "]"
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
	Clone  []string    `json:"clone"`
	Host   []string    `json:"host,omitempty"`
	Files  []jsonFile  `json:"files"`
	IDMaps []jsonIDMap `json:"idMaps,omitempty"`
	Steps  []jsonStep  `json:"steps"`
}

type jsonFile struct {
	FD    int    `json:"fd"`
	Open  string `json:"open"`
	Path  string `json:"path"`
	Field string `json:"field,omitempty"`
}

type jsonIDMap struct {
	Map   string `json:"map"`
	Field string `json:"field"`
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
	for _, id := range p.IDMaps {
		out.IDMaps = append(out.IDMaps, jsonIDMap{id.String(), id.Field})
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
