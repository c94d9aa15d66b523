package mount_test

import (
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/mount"
	"github.com/dhow-containers/dhow/spec"
)

func TestOptions(t *testing.T) {
	for words, want := range map[string]mount.Parsed{
		"":                         {},
		"defaults":                 {},
		"ro":                       {Flags: unix.MS_RDONLY, Set: unix.MOUNT_ATTR_RDONLY},
		"ro,rw":                    {Clear: unix.MOUNT_ATTR_RDONLY},
		"sync,dirsync,mand,silent": {Flags: unix.MS_SYNCHRONOUS | unix.MS_DIRSYNC | unix.MS_MANDLOCK | unix.MS_SILENT},
		"sync,async,lazytime,nolazytime,mand,nomand,iversion": {Flags: unix.MS_I_VERSION},
		"nosuid,nodev,exec":            {Set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV, Clear: unix.MOUNT_ATTR_NOEXEC},
		"noexec,exec":                  {Clear: unix.MOUNT_ATTR_NOEXEC},
		"noatime":                      {Set: unix.MOUNT_ATTR_NOATIME, Clear: unix.MOUNT_ATTR__ATIME},
		"nosymfollow":                  {Set: unix.MOUNT_ATTR_NOSYMFOLLOW},
		"rbind,rro":                    {Flags: unix.MS_BIND | unix.MS_REC, AllSet: unix.MOUNT_ATTR_RDONLY},
		"bind,rshared":                 {Flags: unix.MS_BIND, Propagation: []uintptr{unix.MS_SHARED | unix.MS_REC}},
		"slave,shared":                 {Propagation: []uintptr{unix.MS_SLAVE, unix.MS_SHARED}},
		"loop,ro,direct-io,errors=no":  {Flags: unix.MS_RDONLY, Set: unix.MOUNT_ATTR_RDONLY, Loop: true, Direct: true, Data: []string{"errors=no"}},
		"lowerdir=/a,index=off":        {Data: []string{"lowerdir=/a", "index=off"}},
		"uidmap=0:70:5,gidmap=0:80:5":  {Maps: true, FirstUID: 70, FirstSize: 5},
		"remount,size=1m":              {Flags: unix.MS_REMOUNT, Data: []string{"size=1m"}},
		"remount,dirsync,relatime,dev": {Flags: unix.MS_REMOUNT | unix.MS_DIRSYNC, Clear: unix.MOUNT_ATTR__ATIME | unix.MOUNT_ATTR_NODEV},
	} {
		var list []string
		if words != "" {
			list = strings.Split(words, ",")
		}
		got, err := mount.Parse(list)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", words, got, err, want)
		}
	}
}

// TestEveryWord has all words that the specification knows: each does something or is refused, and none reaches a file
// system.
func TestEveryWord(t *testing.T) {
	for _, word := range spec.MountOptionNames() {
		got, err := mount.Parse([]string{word})
		opt, _ := spec.MountOption(word)
		if refused := opt.Kind == spec.OptExtension; (err != nil) != refused {
			t.Errorf("%s: error %v", word, err)
		} else if err != nil && !strings.Contains(err.Error(), word) {
			t.Errorf("%s: the error does not name it: %v", word, err)
		}
		if got.Data != nil {
			t.Errorf("%s is handed to the file system", word)
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, words := range []string{"uidmap=0:1:1", "gidmap=0:1:1", "uidmap=0:1,gidmap=0:1:1", "uidmap=0:x:1,gidmap=0:1:1", "direct-io", "tmpcopyup"} {
		if got, err := mount.Parse(strings.Split(words, ",")); err == nil {
			t.Errorf("%s: %+v", words, got)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		data        []string
		base, short string
	}{
		{[]string{"lowerdir=/s/1/fs:/s/2/fs", "upperdir=/s/3/fs"}, "/s", "lowerdir=1/fs:2/fs,upperdir=/s/3/fs"},
		{[]string{"x", "lowerdir=/a/b"}, "/a", "x,lowerdir=b"},
		{[]string{"lowerdir=/a/b:/c/d"}, "/", "lowerdir=a/b:c/d"},
		{[]string{"lowerdir=/s/1:/s/10/fs"}, "/s", "lowerdir=1:10/fs"},
		{[]string{"size=1"}, "/", "size=1"},
	} {
		if base, short := mount.Shorten(c.data); base != c.base || short != c.short {
			t.Errorf("%v: %s %s", c.data, base, short)
		}
	}
}
