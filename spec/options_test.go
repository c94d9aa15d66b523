package spec

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestMountOptionRules checks what must hold for every word of the table.
func TestMountOptionRules(t *testing.T) {
	const atime = unix.MOUNT_ATTR__ATIME
	for _, e := range mountOptions {
		o := e.value
		if touched := (o.AttrSet | o.AttrClr) & atime; touched != 0 && o.AttrClr&atime != atime {
			t.Errorf("%s: mount_setattr would refuse clear mask %#x", e.name, o.AttrClr)
		}
		if isAttr := o.AttrSet|o.AttrClr != 0; isAttr != (o.Kind == OptAttr) {
			t.Errorf("%s: kind %d with attributes %#x, %#x", e.name, o.Kind, o.AttrSet, o.AttrClr)
		}
		if o.Recursive && (o.Super != "" || o.Kind == OptSuper) {
			t.Errorf("%s: a superblock has no submounts", e.name)
		}
		if (o.Kind == OptPropagation) != (o.Propagation != 0) {
			t.Errorf("%s: kind %d with propagation %#x", e.name, o.Kind, o.Propagation)
		}
		if o.Kind == OptSuper && o.Super != e.name {
			t.Errorf("%s: superblock word %q", e.name, o.Super)
		}
		if plain, ok := MountOption(e.name[1:]); ok && e.name[0] == 'r' && e.name != "rrw" && o.Kind == OptAttr && o.Recursive {
			if plain.AttrSet != o.AttrSet || plain.AttrClr != o.AttrClr {
				t.Errorf("%s does not do what %s does", e.name, e.name[1:])
			}
		}
	}
}

func TestMountAttr(t *testing.T) {
	for name, test := range map[string]struct {
		words []string
		want  MountAttr
	}{
		"none":               {nil, MountAttr{}},
		"docker's tmpfs":     {[]string{"nosuid", "noexec", "nodev"}, MountAttr{Set: 0xe}},
		"ro":                 {[]string{"ro"}, MountAttr{Set: 1}},
		"rw":                 {[]string{"rw"}, MountAttr{Clr: 1}},
		"ro, rw":             {[]string{"ro", "rw"}, MountAttr{Clr: 1}},
		"rw, ro":             {[]string{"rw", "ro"}, MountAttr{Set: 1}},
		"noatime":            {[]string{"noatime"}, MountAttr{Set: 0x10, Clr: 0x70}},
		"strictatime":        {[]string{"strictatime"}, MountAttr{Set: 0x20, Clr: 0x70}},
		"relatime":           {[]string{"relatime"}, MountAttr{Clr: 0x70}},
		"noatime, relatime":  {[]string{"noatime", "relatime"}, MountAttr{Clr: 0x70}},
		"relatime, noatime":  {[]string{"relatime", "noatime"}, MountAttr{Set: 0x10, Clr: 0x70}},
		"noatime, atime":     {[]string{"noatime", "atime"}, MountAttr{Clr: 0x70}},
		"strict, nodiratime": {[]string{"strictatime", "nodiratime"}, MountAttr{Set: 0xa0, Clr: 0x70}},
		"nodiratime undone":  {[]string{"noatime", "nodiratime", "diratime"}, MountAttr{Set: 0x10, Clr: 0xf0}},
		"without an effect":  {[]string{"defaults", "norelatime", "loud", "rbind", "rslave"}, MountAttr{}},
	} {
		t.Run(name, func(t *testing.T) {
			var got MountAttr
			for _, word := range test.words {
				o, ok := MountOption(word)
				if !ok {
					t.Fatal("unknown word", word)
				}
				got.Add(o)
			}
			if got != test.want {
				t.Errorf("got %#x, want %#x", got, test.want)
			}
		})
	}
}

// TestKernelTakesSuperWords asks the kernel for each word that is said to be a flag of every superblock. The
// file system context is never made into a mount.
func TestKernelTakesSuperWords(t *testing.T) {
	fd, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		t.Skip("fsopen needs CAP_SYS_ADMIN:", err)
	}
	defer unix.Close(fd)
	for _, e := range mountOptions {
		if e.value.Super == "" {
			continue
		}
		if err := unix.FsconfigSetFlag(fd, e.value.Super); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
	}
	for _, word := range []string{"iversion", "silent", "nosuid"} {
		if err := unix.FsconfigSetFlag(fd, word); err == nil {
			t.Errorf("%s is a flag of the superblock after all", word)
		}
	}
}

func TestIsBind(t *testing.T) {
	for name, test := range map[string]struct {
		mount           specs.Mount
		bind, recursive bool
	}{
		"fs":        {specs.Mount{Type: "tmpfs", Options: []string{"ro"}}, false, false},
		"bind":      {specs.Mount{Type: "none", Options: []string{"ro", "bind"}}, true, false},
		"rbind":     {specs.Mount{Type: "tmpfs", Options: []string{"rbind"}}, true, true},
		"type":      {specs.Mount{Type: "bind"}, true, false},
		"type, rec": {specs.Mount{Type: "bind", Options: []string{"rbind"}}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			if bind, recursive := IsBind(&test.mount); bind != test.bind || recursive != test.recursive {
				t.Errorf("got %v, %v", bind, recursive)
			}
		})
	}
}
