package plan

import "strings"

// Environment is the environment of the container's process: of a variable that env has several times, the
// last counts, and HOME is home unless env says otherwise. Without this it would be up to each program
// which of two it sees, and shells and C libraries disagree.
func Environment(env []string, home string) []string {
	var list []string
	for i, v := range env {
		name, value, _ := strings.Cut(v, "=")
		if hasVariable(env[i+1:], name) || name == "HOME" && value == "" && home != "" {
			continue
		}
		list = append(list, v)
	}
	if home != "" && !hasVariable(list, "HOME") {
		list = append(list, "HOME="+home)
	}
	return list
}

// NeedsHome says whether Environment has a use for the home directory: env does not say what HOME is.
func NeedsHome(env []string) bool {
	home := ""
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, "HOME="); ok {
			home = value
		}
	}
	return home == ""
}

func hasVariable(env []string, name string) bool {
	for _, e := range env {
		if strings.HasPrefix(e, name) && len(e) > len(name) && e[len(name)] == '=' {
			return true
		}
	}
	return false
}
