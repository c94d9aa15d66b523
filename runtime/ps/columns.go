package ps

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Column is one column of the table.
type Column struct {
	names string // what -o calls it, the first of them preferred
	head  string
	width int // at least; negative aligns to the left
	text  func(h *host, p *process) string
}

func allColumns() []Column {
	return []Column{
		{"uid", "UID", 5, func(h *host, p *process) string { return strconv.FormatUint(uint64(p.uid), 10) }},
		{"user euser", "USER", -8, func(h *host, p *process) string { return h.user(p.uid) }},
		{"pid", "PID", 5, func(h *host, p *process) string { return strconv.Itoa(p.pid) }},
		{"ppid", "PPID", 5, func(h *host, p *process) string { return strconv.Itoa(p.ppid) }},
		{"c", "C", 2, func(h *host, p *process) string { return strconv.Itoa(h.share(p)) }},
		{"stime", "STIME", -5, func(h *host, p *process) string { return h.start(p) }},
		{"tty tt tname", "TTY", -8, func(h *host, p *process) string { return ttyName(p.tty) }},
		{"stat s state", "STAT", -4, func(h *host, p *process) string { return p.state }},
		{"time cputime", "TIME", 8, func(h *host, p *process) string { return cpuTime(p.cpu) }},
		{"bsdtime", "TIME", 6, func(h *host, p *process) string { return bsdTime(p.cpu) }},
		{"comm ucmd", "COMMAND", -15, func(h *host, p *process) string { return p.comm }},
		{"cmd", "CMD", -27, func(h *host, p *process) string { return p.command() }},
		{"%cpu pcpu", "%CPU", 4, func(h *host, p *process) string { return fmt.Sprintf("%.1f", h.average(p)) }},
		{"%mem pmem", "%MEM", 4, func(h *host, p *process) string { return fmt.Sprintf("%.1f", h.memoryShare(p)) }},
		{"vsz vsize", "VSZ", 6, func(h *host, p *process) string { return strconv.Itoa(p.virtual >> 10) }},
		{"rss rssize", "RSS", 5, func(h *host, p *process) string { return strconv.Itoa(p.resident >> 10) }},
		{"start_time", "START", -5, func(h *host, p *process) string { return h.start(p) }},
		{"etime", "ELAPSED", 11, func(h *host, p *process) string { return elapsed(h.uptime - p.started) }},
		{"pgid pgrp", "PGID", 5, func(h *host, p *process) string { return strconv.Itoa(p.group) }},
		{"sid sess session", "SID", 5, func(h *host, p *process) string { return strconv.Itoa(p.session) }},
		{"ni nice", "NI", 3, func(h *host, p *process) string { return strconv.Itoa(p.nice) }},
		{"nlwp thcount", "NLWP", 4, func(h *host, p *process) string { return strconv.Itoa(p.threads) }},
		{"args command", "COMMAND", -27, func(h *host, p *process) string { return p.command() }},
	}
}

// ColumnNames lists what -o accepts, for the help text.
func ColumnNames() string {
	var names []string
	for _, c := range allColumns() {
		name, _, _ := strings.Cut(c.names, " ")
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// command is the command line, or the kernel's name in brackets when there is none.
func (p *process) command() string {
	if len(p.args) == 0 {
		return "[" + p.comm + "]"
	}
	return strings.Join(p.args, " ")
}

// printable keeps control characters, which a container's process may put into its command line, off
// the caller's terminal.
func printable(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 {
		return '?'
	}
	return r
}

// ParseOptions reads the options of ps that follow a container's id; none are "-ef".
func ParseOptions(args []string) ([]Column, error) {
	o := options{full: len(args) == 0}
	for len(args) > 0 {
		letters, ok := strings.CutPrefix(args[0], "-")
		args = args[1:]
		if strings.Trim(letters, "auxw") == "" && strings.Contains(letters, "u") { // BSD: every process, with its user, as wide as may be
			o.lists = append(o.lists, userFormat)
			continue
		}
		if !ok || letters == "" {
			return nil, unsupported(letters)
		}
		for i := 0; i < len(letters); i++ {
			switch letters[i] {
			case 'e', 'A': // every process: the container's are all there is
			case 'w': // nothing is cut off anyway
			case 'f':
				o.full = true
			case 'x': // those without a terminal too, which there is no other way to; and the columns of BSD
				o.bsd = true
			case 'o':
				list := letters[i+1:]
				if list == "" && len(args) > 0 {
					list, args = args[0], args[1:]
				}
				o.lists = append(o.lists, list)
				i = len(letters)
			default:
				return nil, unsupported("-" + letters)
			}
		}
	}
	return o.columns()
}

func unsupported(option string) error {
	return fmt.Errorf("cannot use option %q of ps: only -e, -f, -w, -x, aux and -o LIST are supported", option)
}

// userFormat is the format of ps u.
const userFormat = "user,pid,%cpu,%mem,vsz,rss,tty,stat,start_time,bsdtime,command"

// options is what the options of ps ask for.
type options struct {
	full  bool
	bsd   bool
	lists []string
}

func (o options) columns() ([]Column, error) {
	switch {
	case o.lists != nil:
		return named(strings.Join(o.lists, ","))
	case o.full:
		return full(), nil
	case o.bsd:
		return named("pid,tty,stat,bsdtime,args")
	}
	return named("pid,tty,time,ucmd")
}

// full is the format of ps -f, whose UID column holds names.
func full() []Column {
	columns, _ := named("user,pid,ppid,c,stime,tty,time,cmd") // all are known
	columns[0].head = "UID"
	return columns
}

// named finds the columns of a list, separated by commas or spaces.
func named(list string) ([]Column, error) {
	var columns []Column
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		c, ok := findColumn(name)
		if !ok {
			return nil, fmt.Errorf("cannot use column %q of ps: want any of %s", name, ColumnNames())
		}
		columns = append(columns, c)
	}
	if columns == nil {
		return nil, errors.New("cannot use option -o of ps: it needs a list of columns")
	}
	return columns, nil
}

func findColumn(name string) (Column, bool) {
	for _, c := range allColumns() {
		for _, n := range strings.Fields(c.names) {
			if n == name {
				if name == "ucmd" {
					c.head = "CMD"
				}
				return c, true
			}
		}
	}
	return Column{}, false
}
