package oci

import (
	"fmt"
	"strconv"
	"strings"
)

// span is a range of a list of CPUs or memory nodes, both ends included.
type span struct{ first, last int }

// spans reads a list such as "0-2,7".
func spans(list string) ([]span, error) {
	var all []span
	if list == "" {
		return nil, nil
	}
	for item := range strings.SplitSeq(list, ",") {
		from, to, ranged := strings.Cut(item, "-")
		if !ranged {
			to = from
		}
		first, err1 := strconv.ParseUint(from, 10, 31)
		last, err2 := strconv.ParseUint(to, 10, 31)
		if err1 != nil || err2 != nil || last < first {
			return nil, fmt.Errorf("invalid format: %s", list)
		}
		all = append(all, span{int(first), int(last)})
	}
	return all, nil
}

// within says whether all that a list has is in another, which is as the kernel writes it: in order, and joined.
func within(asked, have string) (bool, error) {
	want, err := spans(asked)
	if err != nil {
		return false, err
	}
	there, err := spans(have)
	if err != nil {
		return false, err
	}
	for _, w := range want {
		ok := false
		for _, t := range there {
			ok = ok || w.first >= t.first && w.last <= t.last
		}
		if !ok {
			return false, nil
		}
	}
	return true, nil
}
