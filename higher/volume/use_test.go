package volume

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
)

func TestParseBind(t *testing.T) {
	for raw, want := range map[string]string{
		"/a":                 "volume  /a rw",
		"/a:/b":              "bind /a /b rw",
		"/a/../c/:/b//d/":    "bind /c /b/d rw",
		"/a:/b:ro":           "bind /a /b ro",
		"/a:/b:ro,z,rslave":  "bind /a /b ro rslave",
		"/a:/b:Z,shared":     "bind /a /b rw shared",
		"/a:/b:delegated":    "bind /a /b rw",
		"name:/b":            "volume name /b rw",
		"name:/b:nocopy,ro":  "volume name /b ro nocopy",
		"/rw:/ro":            "bind /rw /ro rw",
		"/with space:/b b:z": "bind /with space /b b rw",
	} {
		if got := describe(raw); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
	for raw, words := range map[string]string{
		"":                            "invalid volume specification: ''",
		":":                           "invalid volume specification: ':'",
		":/b":                         "invalid volume specification",
		"/a:":                         "invalid volume specification",
		"/a:ro":                       "invalid volume specification: '/a:ro'",
		"a:b":                         "mount path must be absolute",
		"./":                          "mount path must be absolute",
		"/a:/b:ro:z":                  "invalid volume specification",
		"/a:/b:sw":                    "invalid mode: sw",
		"/a:/b:ro,rw":                 "invalid mode: ro,rw",
		"/a:/b:z,Z":                   "invalid mode",
		"/a:/b:shared,rslave":         "invalid mode",
		"/a:/b:nocopy":                "field VolumeOptions must not be specified",
		"name:/b:rshared":             "field BindOptions must not be specified",
		"/a:/":                        "destination can't be '/'",
		"/a:/b/..":                    "destination can't be '/'",
		"/tmp:tmp":                    `invalid volume specification: '/tmp:tmp': invalid mount config for type "bind": invalid mount path: 'tmp' mount path must be absolute`,
		"/path:/path:ro,rshared,ro":   "invalid mode",
		"name:/absolute-path:private": "invalid volume specification",
	} {
		if _, _, err := parseBind(raw, ""); err == nil || !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want %q", raw, err, words)
		}
	}
}

func describe(raw string) string {
	spec, _, err := parseBind(raw, "")
	if err != nil {
		return err.Error()
	}
	m, err := (&Manager{}).fromSpec(&spec)
	if err != nil {
		return err.Error()
	}
	source, words := m.Source+m.Name, "rw"
	if !m.RW {
		words = "ro"
	}
	if m.NoCopy {
		words += " nocopy"
	}
	if m.Propagation != "" && m.Propagation != mount.PropagationRPrivate {
		words += " " + string(m.Propagation)
	}
	return fmt.Sprintf("%s %s %s %s", m.Type, source, m.Destination, words)
}

func FuzzParseBind(f *testing.F) {
	for _, raw := range []string{"/a:/b:ro", "n:/b:nocopy,z", "::", "/a", "a:b:c:d"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		spec, _, err := parseBind(raw, "")
		if err != nil {
			return
		}
		m, err := (&Manager{}).fromSpec(&spec)
		if err != nil {
			t.Fatal(err)
		}
		if !filepath.IsAbs(m.Destination) || m.Destination != filepath.Clean(m.Destination) || m.Destination == "/" {
			t.Errorf("destination %q", m.Destination)
		}
		if m.Type == mount.TypeBind && (!filepath.IsAbs(m.Source) || m.Source != filepath.Clean(m.Source)) {
			t.Errorf("source %q", m.Source)
		}
	})
}

func TestMountProblems(t *testing.T) {
	bind := func(change func(*mount.Mount)) mount.Mount {
		m := mount.Mount{Type: mount.TypeBind, Source: "/a", Target: "/b", BindOptions: &mount.BindOptions{}}
		change(&m)
		return m
	}
	for words, m := range map[string]mount.Mount{
		`invalid mount config for type "bind": field Target must not be empty`: bind(func(m *mount.Mount) { m.Target = "" }),
		`field Source must not be empty`:                                       bind(func(m *mount.Mount) { m.Source = "" }),
		`'a' mount path must be absolute`:                                      bind(func(m *mount.Mount) { m.Source = "a" }),
		`invalid propagation mode: odd`:                                        bind(func(m *mount.Mount) { m.BindOptions.Propagation = "odd" }),
		`!ReadOnly && BindOptions.ReadOnlyNonRecursive`:                        bind(func(m *mount.Mount) { m.BindOptions.ReadOnlyNonRecursive = true }),
		`!ReadOnly && BindOptions.ReadOnlyForceRecursive`:                      bind(func(m *mount.Mount) { m.BindOptions.ReadOnlyForceRecursive = true }),
		`field TmpfsOptions must not be specified`:                             bind(func(m *mount.Mount) { m.TmpfsOptions = &mount.TmpfsOptions{} }),
		`invalid mount config for type "npipe": mount type unknown`:            {Type: mount.TypeNamedPipe, Target: "/b"},
		`"image": field Source must not be empty`:                              {Type: mount.TypeImage, Target: "/b"},
		`"image": subpath must be a relative path`:                             {Type: mount.TypeImage, Source: "x", Target: "/b", ImageOptions: &mount.ImageOptions{Subpath: "../x"}},
		`must not set Subpath when using anonymous volumes`:                    {Type: mount.TypeVolume, Target: "/b", VolumeOptions: &mount.VolumeOptions{Subpath: "x"}},
		`subpath must be a relative path within the volume`:                    {Type: mount.TypeVolume, Source: "ab", Target: "/b", VolumeOptions: &mount.VolumeOptions{Subpath: "../x"}},
		`field Source must not be specified`:                                   {Type: mount.TypeTmpfs, Source: "x", Target: "/b"},
		`invalid option: suid`:                                                 {Type: mount.TypeTmpfs, Target: "/b", TmpfsOptions: &mount.TmpfsOptions{Options: [][]string{{"suid"}}}},
	} {
		if err := checkMount(&m); err == nil || !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
	}
}

func TestUse(t *testing.T) {
	b := start(t)
	source := t.TempDir()
	h := &types.HostConfig{
		Binds: []string{"data:/var/lib/data:ro", source + ":/src", "/nowhere/x:/made"},
		Tmpfs: map[string]string{"/tmp": ""},
		Mounts: []mount.Mount{
			{Type: mount.TypeTmpfs, Target: "/run", TmpfsOptions: &mount.TmpfsOptions{SizeBytes: 3 << 20, Mode: 0o1777}},
			{Type: mount.TypeVolume, Source: "named", Target: "/var/lib/data/sub", VolumeOptions: &mount.VolumeOptions{Labels: map[string]string{"k": "v"}, NoCopy: true}},
		},
	}
	var got []string
	for _, m := range b.use("c", h, map[string]struct{}{"/src": {}, "/tmp/": {}, "/own/": {}}) {
		name := m.Name
		if m.Anonymous {
			name = "-"
		}
		got = append(got, fmt.Sprint(m.Type, " ", name, " ", m.Destination, " ", m.RW, " ", m.Mode, " ", m.MakeSource, m.NoCopy, m.Options))
	}
	want := []string{
		"bind  /made true  true false []",
		"volume - /own true  false false []",
		"tmpfs  /run true  false false [mode=1777 size=3m]",
		"bind  /src true  true false []",
		"volume data /var/lib/data false ro false false []",
		"volume named /var/lib/data/sub true z false true []",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if v, err := b.VolumeInspect(t.Context(), "named"); err != nil || v.Labels["k"] != "v" {
		t.Error(v, err)
	}
}

func TestCheck(t *testing.T) {
	for words, h := range map[string]*types.HostConfig{
		"bind source path does not exist": {Mounts: []mount.Mount{{Type: mount.TypeBind, Source: "/nowhere/at", Target: "/b"}}},
		"invalid mode: nocopy":            {VolumesFrom: []string{"c:nocopy"}},
		"invalid mode: odd":               {Binds: []string{"/a:/b:odd"}},
		"mount type unknown":              {Mounts: []mount.Mount{{Type: "odd", Target: "/b"}}},
	} {
		want(t, Check(h), errdefs.IsInvalidArgument, words)
	}
	made := []mount.Mount{{Type: mount.TypeBind, Source: "/nowhere/at", Target: "/b", BindOptions: &mount.BindOptions{CreateMountpoint: true}}}
	if err := Check(&types.HostConfig{Binds: []string{"/nowhere/at:/b"}, Mounts: made}); err != nil {
		t.Error(err)
	}
}

func TestUseProblems(t *testing.T) {
	b := start(t)
	from := func(name string) ([]Mount, error) {
		if name == "none" {
			return nil, errdefs.ErrNotFound.WithMessage("No such container: none")
		}
		return nil, nil
	}
	for words, h := range map[string]*types.HostConfig{
		"Duplicate mount point: /b":                    {Binds: []string{"/a:/b", "ab:/b/"}},
		"Duplicate mount point: /c":                    {Binds: []string{"/a:/c"}, Tmpfs: map[string]string{"/c": ""}},
		"Duplicate mount point: /d/":                   {Binds: []string{"/a:/d"}, Mounts: []mount.Mount{{Type: mount.TypeTmpfs, Target: "/d/"}}},
		"bind source path does not exist: /nowhere/at": {Mounts: []mount.Mount{{Type: mount.TypeBind, Source: "/nowhere/at", Target: "/b"}}},
		"invalid mode: nocopy":                         {VolumesFrom: []string{"c:nocopy"}},
		"invalid mode: rslave":                         {VolumesFrom: []string{"c:rslave"}},
		"No such container: none":                      {VolumesFrom: []string{"none"}},
		"cannot be an empty string":                    {VolumesFrom: []string{""}},
		"daemon root":                                  {Binds: []string{b.dir + "/x:/b:private"}},
		"create .x: ":                                  {Binds: []string{".x:/b"}},
	} {
		if early := Check(h); early != nil {
			want(t, early, errdefs.IsInvalidArgument, words)
		}
		_, err := b.Use(t.Context(), "c", &types.Config{Volumes: map[string]struct{}{"/declared": {}}}, h, from)
		want(t, err, errdefs.IsInvalidArgument, words)
	}
	if b.names(nil) != "" {
		t.Error("volumes are left:", b.names(nil))
	}
}

// What is bound of the engine's own directory propagates from the host, so that it does not hold its mounts.
func TestDataRootPropagates(t *testing.T) {
	b := start(t)
	for source, want := range map[string]mount.Propagation{b.dir + "/x": "rslave", "/": "rslave", filepath.Dir(b.dir): "rslave", b.dir + "x": "rprivate"} {
		mounts := b.use("c", &types.HostConfig{Binds: []string{source + ":/host"}}, nil)
		if mounts[0].Propagation != want {
			t.Errorf("%s: %s, want %s", source, mounts[0].Propagation, want)
		}
	}
}

func TestMountMakesSources(t *testing.T) {
	b := start(t)
	dir := t.TempDir()
	made := filepath.Join(dir, "a/b")
	mounts := b.use("c", &types.HostConfig{Binds: []string{made + ":/b"}}, nil)
	if _, err := b.Mount(t.Context(), "c", mounts); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(made); err != nil || st.Mode().Perm() != 0o755 {
		t.Error(st, err)
	}
	gone := filepath.Join(dir, "gone")
	if err := os.Mkdir(gone, 0o700); err != nil {
		t.Fatal(err)
	}
	mounts = b.use("c", &types.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeBind, Source: gone, Target: "/b"}}}, nil)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	_, err := b.Mount(t.Context(), "c", mounts)
	want(t, err, errdefs.IsInvalidArgument, "bind source path does not exist: "+gone)
}
