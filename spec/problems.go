package spec

import (
	"fmt"
	"strconv"

	"github.com/dhow-containers/dhow/spec/json"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	Pointer string // JSON pointer (RFC 6901), empty for the whole document
	Message string
}

func (p Problem) String() string {
	if p.Pointer == "" {
		return p.Message
	}
	return p.Pointer + ": " + p.Message
}

// Problems is the error that holds all that Validate found, in document order. Its class is "invalid argument".
type Problems struct {
	Object string // what was checked, such as "config.json"
	List   []Problem
}

// Error returns one line: a command's caller often keeps only the last line of its output.
func (p *Problems) Error() string {
	text := "cannot use " + p.Object + ": "
	for i, problem := range p.List {
		if i > 0 {
			text += "; "
		}
		text += problem.String()
	}
	return text
}

// InvalidParameter marks the class of the error for github.com/containerd/errdefs.
func (p *Problems) InvalidParameter() {}

// path is a place in a document: a reference token and the place it hangs from. Paths live on the stack of the
// checking functions and become text only when there is a problem to report. A variable must not be assigned a
// path that hangs from itself.
type path struct {
	parent *path
	key    string // may hold several tokens, "process/user"; those from the document are escaped by member
	index  int    // -1 when key counts
}

var root = &path{index: -1}

// at is a property that the specification names.
func (p *path) at(key string) path { return path{p, key, -1} }

// item is an element of an array.
func (p *path) item(i int) path { return path{p, "", i} }

// member is a property whose name comes from the document.
func (p *path) member(key string) path { return path{p, json.Escape(key), -1} }

func (p *path) String() string {
	var text string
	for ; p != nil && p.parent != nil; p = p.parent {
		if p.index >= 0 {
			text = "/" + strconv.Itoa(p.index) + text
		} else {
			text = "/" + p.key + text
		}
	}
	return text
}

// checker collects the problems of one document.
type checker struct {
	spec     *specs.Spec
	problems []Problem
}

// add reports a problem at p.
func (c *checker) add(p *path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Pointer: p.String(), Message: fmt.Sprintf(format, args...)})
}

// result is the error of a finished check, nil when nothing was found.
func (c *checker) result(object string) error {
	if len(c.problems) == 0 {
		return nil
	}
	return &Problems{Object: object, List: c.problems}
}
