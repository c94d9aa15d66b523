package container

import (
	"strconv"
	"strings"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// steps is what the file `steps` says: the words for each step that `start` may see fail.
type steps map[int]plan.StepInfo

// describe writes down the steps after the wait for `start`, a line each: number, call, field, what and
// message, separated by tabs.
func describe(p *plan.Program) []byte {
	b := make([]byte, 0, 4096)
	waiting := false
	for i := range p.Steps {
		info := p.Describe(i)
		waiting = waiting || info.Call == "accept4"
		if !waiting {
			continue
		}
		b = strconv.AppendInt(b, int64(i), 10)
		for _, word := range [...]string{info.Call, info.Field, info.What, info.Message} {
			b = append(b, '\t')
			b = append(b, flat(word)...)
		}
		b = append(b, '\n')
	}
	return b
}

// flat makes s fit into a line of fields.
func flat(s string) string {
	if strings.ContainsAny(s, "\t\n") {
		return strconv.Quote(s)
	}
	return s
}

func parseSteps(text []byte) steps {
	list := steps{}
	for line := range strings.SplitSeq(string(text), "\n") {
		f := strings.Split(line, "\t")
		n, err := strconv.Atoi(f[0])
		if err != nil || len(f) != 5 {
			continue
		}
		list[n] = plan.StepInfo{Call: f[1], Task: plan.Task{Field: f[2], What: f[3]}, Message: f[4]}
	}
	return list
}

// handOverListener says whether the Program is going to send a seccomp listener.
func (s steps) handOverListener() bool {
	for _, info := range s {
		if info.Field == plan.ListenerField {
			return true
		}
	}
	return false
}

// Describe says what step i is.
func (s steps) Describe(i int) plan.StepInfo {
	if info, ok := s[i]; ok {
		return info
	}
	return plan.StepInfo{Task: plan.Task{What: "start the container (step " + strconv.Itoa(i) + ")"}}
}
