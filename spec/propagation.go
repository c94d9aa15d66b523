package spec

// RootfsPropagation returns the mount(2) flags of linux.rootfsPropagation. The specification names four values;
// the recursive spellings that runc takes are accepted too.
func RootfsPropagation(word string) (flags uint64, recursive, ok bool) {
	o, ok := MountOption(word)
	if !ok || o.Kind != OptPropagation {
		return 0, false, false
	}
	return o.Propagation, o.Recursive, true
}
