package spec

// entry is one word of the specification and what it stands for.
type entry[T any] struct {
	name  string
	value T
}

// find looks a word up in a table that is sorted by name. Tables are sorted arrays and not maps because a map
// would be built each time the program starts.
func find[T any](table []entry[T], name string) (value T, ok bool) {
	low, high := 0, len(table)
	for low < high {
		middle := (low + high) / 2
		switch e := &table[middle]; {
		case e.name == name:
			return e.value, true
		case e.name < name:
			low = middle + 1
		default:
			high = middle
		}
	}
	return value, false
}

// names lists the words of a table.
func names[T any](table []entry[T]) []string {
	list := make([]string, len(table))
	for i := range table {
		list[i] = table[i].name
	}
	return list
}
