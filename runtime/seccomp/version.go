package seccomp

import "strings"

// Version is the version of libseccomp that compiles profiles, such as "2.5.4"; empty in a program that
// has no libseccomp.
func Version() string {
	for word := range strings.FieldsSeq(compilerID()) {
		if version, ok := strings.CutPrefix(word, "libseccomp/"); ok {
			return version
		}
	}
	return ""
}
