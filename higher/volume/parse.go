package volume

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/mount"
)

// The words that the mode of -v is made of; of each kind at most one may be given.
var modeWords = [...][]string{
	{"rw", "ro"},
	{"z", "Z"},
	propagationWords(),
	{"nocopy"},
	{string(mount.ConsistencyFull), string(mount.ConsistencyCached), string(mount.ConsistencyDelegated)},
}

// The kinds of modeWords that are looked at again.
const (
	propagationKind = 2
	copyKind        = 3
)

func propagationWords() []string {
	var all []string
	for _, p := range mount.Propagations {
		all = append(all, string(p))
	}
	return all
}

// validMode says whether a mode is made of known words that do not contradict each other.
func validMode(mode string) bool {
	if mode == "" {
		return true
	}
	var seen [len(modeWords)]bool
	for word := range strings.SplitSeq(mode, ",") {
		kind := slices.IndexFunc(modeWords[:], func(words []string) bool { return slices.Contains(words, word) })
		if kind < 0 || seen[kind] {
			return false
		}
		seen[kind] = true
	}
	return true
}

// modeWord is the word of a kind in a mode, "" for none.
func modeWord(mode string, kind int) string {
	for word := range strings.SplitSeq(mode, ",") {
		if slices.Contains(modeWords[kind], word) {
			return word
		}
	}
	return ""
}

func readOnlyMode(mode string) bool { return slices.Contains(strings.Split(mode, ","), "ro") }

// parseBind reads what -v says, SOURCE:DESTINATION[:MODE], where a source that is no path names a volume.
func parseBind(raw, volumeDriver string) (mount.Mount, string, error) {
	invalid := func() (mount.Mount, string, error) {
		return mount.Mount{}, "", invalidf("invalid volume specification: '%s'", raw)
	}
	part := strings.Split(raw, ":")
	if part[0] == "" || len(part) > 3 {
		return invalid()
	}
	var spec mount.Mount
	var mode string
	switch len(part) {
	case 1:
		spec.Target = part[0]
	case 2:
		if validMode(part[1]) { // DESTINATION:MODE is nobody's volume
			return invalid()
		}
		spec.Source, spec.Target = part[0], part[1]
	case 3:
		spec.Source, spec.Target, mode = part[0], part[1], part[2]
	}
	if !validMode(mode) {
		return spec, "", invalidf("invalid mode: %s", mode)
	}
	applyMode(&spec, mode, volumeDriver)
	if err := checkMount(&spec); err != nil {
		return spec, "", invalidf("invalid volume specification: '%s': %v", raw, err)
	}
	return spec, mode, nil
}

func applyMode(spec *mount.Mount, mode, volumeDriver string) {
	spec.Type, spec.ReadOnly = mount.TypeVolume, readOnlyMode(mode)
	if path.IsAbs(spec.Source) {
		spec.Type = mount.TypeBind
	}
	noCopy := modeWord(mode, copyKind) != ""
	if spec.Type == mount.TypeVolume && volumeDriver != "" || noCopy {
		spec.VolumeOptions = &mount.VolumeOptions{NoCopy: noCopy}
		if spec.Type == mount.TypeVolume && volumeDriver != "" {
			spec.VolumeOptions.DriverConfig = &mount.Driver{Name: volumeDriver}
		}
	}
	if p := modeWord(mode, propagationKind); p != "" {
		spec.BindOptions = &mount.BindOptions{Propagation: mount.Propagation(p)}
	}
}

// parseVolumesFrom reads CONTAINER[:MODE] of --volumes-from.
func parseVolumesFrom(raw string) (container string, readOnly bool, err error) {
	if raw == "" {
		return "", false, invalidf("volumes-from specification cannot be an empty string")
	}
	container, mode, _ := strings.Cut(raw, ":")
	if !validMode(mode) || modeWord(mode, propagationKind) != "" || modeWord(mode, copyKind) != "" {
		return "", false, invalidf("invalid mode: %s", mode)
	}
	return container, readOnlyMode(mode), nil
}
