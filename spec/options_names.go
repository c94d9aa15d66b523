package spec

// MountOptionNames lists the words that MountOption knows, sorted.
func MountOptionNames() []string {
	names := make([]string, len(mountOptions))
	for i := range mountOptions {
		names[i] = mountOptions[i].name
	}
	return names
}
