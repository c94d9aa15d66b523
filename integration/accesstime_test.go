package integration

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// An option about access times replaces all that the source says of them; in a user namespace nothing may differ from it.
func TestBindAccessTimes(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	must(t, unix.Mount("none", source, "tmpfs", 0, ""))
	t.Cleanup(func() { must(t, unix.Unmount(source, unix.MNT_DETACH)) })
	const refused = "operation not permitted"
	r := newCLI(t)
	for _, tt := range []struct{ source, options, want, mapped string }{
		{"noatime,nodiratime", "exec", "noatime,nodiratime", "noatime,nodiratime"},
		{"noatime", "norelatime", "noatime", "noatime"},
		{"noatime", "relatime", "relatime", refused},
		{"noatime", "nodiratime", "nodiratime,relatime", refused},
		{"noatime", "nodiratime,strictatime", "nodiratime", refused},
		{"nodiratime", "strictatime", "", refused},
		{"nodiratime", "noatime", "noatime", refused},
		{"nodiratime", "nodiratime", "nodiratime,relatime", "nodiratime,relatime"},
		{"nodiratime", "relatime", "relatime", refused},
		{"relatime", "relatime", "relatime", "relatime"},
		{"relatime", "strictatime", "", refused},
		{"strictatime", "strictatime", "", ""},
		{"strictatime", "relatime", "relatime", refused},
	} {
		setAccessTimes(t, source, tt.source)
		for name, want := range map[string]string{"": tt.want, " in a user namespace": tt.mapped} {
			t.Run(tt.source+" "+tt.options+name, func(t *testing.T) {
				edits := []Edit{Args("awk", `$5 == "/mnt" { print $6 }`, "/proc/self/mountinfo"),
					Bind(source, "/mnt", strings.Split(tt.options, ",")...)}
				if name != "" {
					edits = append(edits, MappedUser)
				}
				r := &cli{t: t, Path: r.Path, Root: r.Root}
				res := r.Run(newBundle(t, edits...))
				if want == refused {
					res.Failed(refused)
				} else {
					res.Printed(strings.TrimSuffix("rw,"+want, ","))
				}
			})
		}
	}
}

// setAccessTimes makes a mount keep access times as these options say, and as no others do.
func setAccessTimes(t *testing.T, mount, options string) {
	attr := unix.MountAttr{Attr_clr: unix.MOUNT_ATTR__ATIME | unix.MOUNT_ATTR_NODIRATIME}
	for option := range strings.SplitSeq(options, ",") {
		attr.Attr_set |= map[string]uint64{
			"noatime": unix.MOUNT_ATTR_NOATIME, "nodiratime": unix.MOUNT_ATTR_NODIRATIME,
			"relatime": unix.MOUNT_ATTR_RELATIME, "strictatime": unix.MOUNT_ATTR_STRICTATIME,
		}[option]
	}
	must(t, unix.MountSetattr(unix.AT_FDCWD, mount, 0, &attr))
}
