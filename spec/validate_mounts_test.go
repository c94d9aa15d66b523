package spec

import "testing"

func TestValidateMounts(t *testing.T) {
	runProblemCases(t, map[string]problemCase{
		"plain":     {`{"mounts":[{"destination":"/proc","type":"proc","source":"proc"}]}`, nil},
		"relative":  {`{"mounts":[{"destination":"proc","type":"proc"}]}`, nil},
		"nothing":   {`{"mounts":[{}]}`, []string{`/mounts/0/destination: a path is required`, `/mounts/0/type: required, unless the options have bind or rbind`}},
		"bind":      {`{"mounts":[{"destination":"/a","source":"b","options":["rbind","rprivate","ro","rro"]}]}`, nil},
		"type bind": {`{"mounts":[{"destination":"/a","source":"b","type":"bind"}]}`, nil},
		"no source": {`{"mounts":[{"destination":"/a","options":["bind"]}]}`, []string{`/mounts/0/source: a bind mount requires a path`}},
		"remount":   {`{"mounts":[{"destination":"/a","options":["remount","ro"]}]}`, nil},
		"NUL": {`{"mounts":[{"destination":"/\u0000","type":"\u0000","source":"\u0000","options":["a=\u0000"]}]}`, []string{
			`/mounts/0/destination: "/\x00" contains a NUL character`, `/mounts/0/type: "\x00" contains a NUL character`,
			`/mounts/0/source: "\x00" contains a NUL character`, `/mounts/0/options/0: "a=\x00" contains a NUL character`}},
	})
}

func TestValidateMountOptions(t *testing.T) {
	runProblemCases(t, map[string]problemCase{
		"nosiud, tmpfs": {`{"mounts":[{"destination":"/a","type":"tmpfs","options":["size=64k","nosiud"]}]}`, []string{
			`/mounts/0/options/1: unknown option "nosiud", did you mean "nosuid"?`}},
		"nosiud, bind": {`{"mounts":[{"destination":"/a","source":"/a","options":["bind","nosiud"]}]}`, []string{
			`/mounts/0/options/1: unknown option "nosiud", did you mean "nosuid"?`}},
		"nosiud, ext4": {`{"mounts":[{"destination":"/a","type":"ext4","options":["nosiud","noload","data=ordered","usrquota","discard"]}]}`, []string{
			`/mounts/0/options/0: unknown option "nosiud", did you mean "nosuid"?`}},
		"data for bind": {`{"mounts":[{"destination":"/a","source":"/a","options":["bind","size=64k","cached"]}]}`, []string{
			`/mounts/0/options/1: unknown option "size=64k" for a bind mount`,
			`/mounts/0/options/2: unknown option "cached" for a bind mount`}},
		"not of proc": {`{"mounts":[{"destination":"/a","type":"proc","options":["hidepid=2","subset=pid","fast"]}]}`, []string{
			`/mounts/0/options/2: unknown option "fast" for file system proc`}},
		"empty": {`{"mounts":[{"destination":"/a","type":"proc","options":[""]},{"destination":"/a","type":"nfs","options":[""]},{"destination":"/a","source":"/","options":["bind",""]}]}`, []string{
			`/mounts/0/options/0: unknown option "" for file system proc`,
			`/mounts/1/options/0: unknown option "" for file system nfs`,
			`/mounts/2/options/1: unknown option "" for a bind mount`}},
		"their own": {`{"mounts":[
			{"destination":"/a","type":"devpts","options":["newinstance","ptmxmode=0666"]},
			{"destination":"/a","type":"tmpfs","options":["inode64","noswap","tmpcopyup","mode=1777"]},
			{"destination":"/a","type":"cgroup","options":["cpuset","nsdelegate","name=systemd","ro"]},
			{"destination":"/a","type":"cgroup2","options":["nsdelegate","memory_recursiveprot"]},
			{"destination":"/a","type":"overlay","options":["lowerdir=/a:/b","volatile","userxattr","index=off"]},
			{"destination":"/a","type":"xfs","options":["nouuid","noquota","inode64"]},
			{"destination":"/a","type":"fuse.sshfs","options":["allow_other","default_permissions"]},
			{"destination":"/a","type":"nfs4","options":["hard","nolock","vers=4.2"]}]}`, nil},
		"short": {`{"mounts":[{"destination":"/a","type":"nfs","options":["rx"]},{"destination":"/a","source":"a","options":["bind","rx"]}]}`, []string{
			`/mounts/1/options/1: unknown option "rx", did you mean "ro"?`}},
	})
}

func TestValidateIDMappedMounts(t *testing.T) {
	runProblemCases(t, map[string]problemCase{
		"mapped": {`{"mounts":[{"destination":"/a","source":"/a","options":["rbind","ridmap"],
			"uidMappings":[{"size":5}],"gidMappings":[{"size":5}]}]}`, nil},
		"one only": {`{"mounts":[{"destination":"/a","source":"/a","options":["bind","idmap"],"uidMappings":[{"size":5}]}]}`, []string{
			`/mounts/0/gidMappings: required along with uidMappings`}},
		"other only": {`{"mounts":[{"destination":"/a","source":"/a","options":["bind","idmap"],"gidMappings":[{"size":0}]}]}`, []string{
			`/mounts/0/uidMappings: required along with gidMappings`, `/mounts/0/gidMappings/0/size: must not be 0`}},
		"not a bind": {`{"mounts":[{"destination":"/a","type":"tmpfs","options":["idmap"]}]}`, []string{
			`/mounts/0/options: only a bind mount can be id-mapped`}},
		"no mapping at all": {`{"mounts":[{"destination":"/a","source":"/a","options":["bind","idmap"]}]}`, []string{
			`/mounts/0/options: idmap requires uidMappings and gidMappings, or a user namespace in /linux/namespaces`}},
		"that of the container": {`{"mounts":[{"destination":"/a","source":"/a","options":["bind","idmap"]}],
			"linux":{"namespaces":[{"type":"user","path":"/proc/5/ns/user"}]}}`, nil},
	})
}
