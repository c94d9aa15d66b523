package format

import "slices"

// SortedPairs returns a map as key=value, in order.
func SortedPairs(m map[string]string) []string {
	all := make([]string, 0, len(m))
	for k, v := range m {
		all = append(all, k+"="+v)
	}
	slices.Sort(all)
	return all
}
