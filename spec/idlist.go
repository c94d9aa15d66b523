package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// maxListedID bounds what a list of CPUs or memory nodes may name; Linux supports at most 8192 CPUs and 1024 nodes.
const maxListedID = 8191

// ParseIDList reads a list of CPUs or memory nodes such as "0-3,7" (cpuset(7), "List format") and calls visit with
// the bounds of each range. Numbers are at most 8191.
func ParseIDList(list string, visit func(first, last uint)) error {
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := listedID(from)
		if err != nil {
			return err
		}
		last, err := listedID(to)
		if err != nil {
			return err
		}
		if last < first {
			return fmt.Errorf("range %q runs backwards", part)
		}
		visit(first, last)
	}
	return nil
}

func listedID(s string) (uint, error) {
	s = strings.TrimSpace(s)
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	if n > maxListedID {
		return 0, fmt.Errorf("%d is above %d", n, maxListedID)
	}
	return uint(n), nil
}

// idList checks an optional list of CPUs or memory nodes.
func (c *checker) idList(p *path, list string) {
	if list == "" {
		return
	}
	if err := ParseIDList(list, func(uint, uint) {}); err != nil {
		c.add(p, "%q is not a list such as 0-3,7: %v", list, err)
	}
}
