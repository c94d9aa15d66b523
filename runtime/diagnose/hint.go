package diagnose

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// rule gives the reason for one kind of failure. All that is set must match; why has the last word, and returns ""
// when the facts are otherwise.
type rule struct {
	name  string
	calls []string
	errno []unix.Errno
	field string // prefix
	what  string // part of the sentence
	why   func(*Failure) string
}

// rules are tried in order; the first that has something to say is taken. They are made when something has failed:
// tables of a package are paid for at every start of the program.
func rules() []rule {
	return slices.Concat(processRules(), mountRules(), namespaceRules(), limitRules(), criuRules(), hostRules())
}

// Rules lists the names of all rules.
func Rules() []string {
	var names []string
	for _, r := range rules() {
		names = append(names, r.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (f *Failure) hint() (name, text string) {
	for _, r := range rules() {
		if !r.matches(f) {
			continue
		}
		if text := r.why(f); text != "" {
			return r.name, text
		}
	}
	return "", ""
}

func (r *rule) matches(f *Failure) bool {
	return (r.calls == nil || slices.Contains(r.calls, f.Call)) &&
		(r.errno == nil || slices.Contains(r.errno, f.Errno)) &&
		strings.HasPrefix(f.Field, r.field) && strings.Contains(f.What, r.what)
}

// always is the reason of a rule that needs no fact.
func always(text string) func(*Failure) string { return func(*Failure) string { return text } }
