package commands_test

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

const (
	id1   = "4cac91a4cd3dbfb6ea0b7ad1e2b4c8a35c3d8b8f0a8c1d2e3f4a5b6c7d8e9f01"
	id2   = "9b1f2e3d4c5b6a798897a6b5c4d3e2f10123456789abcdef0123456789abcdef"
	image = "sha256:1487d0af5f52b4ba31c7e465126ee2123fe3f2305d638e7827681e7cf6c83d5e"
)

const containersJSON = `[
 {"Id":"` + id1 + `","Names":["/web","/app/web"],"Image":"busybox:1.36","ImageID":"` + image + `","Command":"sh -c 'while true; do sleep 1; done'","Created":1700000000,"SizeRw":1234567,"SizeRootFs":7654321,
  "Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"IP":"::","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"PrivatePort":443,"Type":"tcp"},
   {"IP":"0.0.0.0","PrivatePort":9000,"PublicPort":9000,"Type":"tcp"},{"IP":"0.0.0.0","PrivatePort":9001,"PublicPort":9001,"Type":"tcp"}],
  "Labels":{"b":"2","a":"1"},"State":"running","Status":"Up 3 hours (healthy)","HostConfig":{"NetworkMode":"bridge"},"NetworkSettings":{"Networks":{"bridge":{}}},
  "Mounts":[{"Type":"volume","Name":"data-volume-with-a-long-name","Source":"","Destination":"/v","Driver":"local","Mode":"z","RW":true,"Propagation":""},{"Type":"bind","Source":"/srv","Destination":"/s","RW":true}]},
 {"Id":"` + id2 + `","Names":["/db"],"Image":"sha256:1487d0af5f52","ImageID":"` + image + `","Command":"true","Created":1700000000,"Ports":[],"Labels":{},"State":"exited","Status":"Exited (0) 2 days ago","HostConfig":{},"NetworkSettings":{"Networks":{}},"Mounts":[]}]`

const inspectJSON = `{"Id":"` + id1 + `","Created":"2023-11-14T22:13:20.5Z","Path":"sh","Args":["-c","x"],"State":{"Status":"running","Running":true,"Paused":false,"Pid":42,"ExitCode":0,"StartedAt":"2023-11-14T22:13:21Z"},
 "Image":"` + image + `","Name":"/web","RestartCount":0,"Driver":"overlay2","SizeRw":10,"HostConfig":{"AutoRemove":false,"NetworkMode":"bridge","Memory":67108864},"Mounts":[],
 "Config":{"Hostname":"4cac91a4cd3d","Tty":false,"OpenStdin":true,"Env":["A=1"],"Cmd":["sh"],"Image":"busybox","Labels":{"a":"1"}},"SomethingNew":{"Deep":7},
 "NetworkSettings":{"Bridge":"","Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},{"HostIp":"::","HostPort":"8080"}],"443/tcp":null,"53/udp":[{"HostIp":"127.0.0.1","HostPort":"5353"}]},"Networks":{"bridge":{"IPAddress":"172.17.0.2"}}}}`

const imagesJSON = `[
 {"Id":"` + image + `","ParentId":"","RepoTags":["busybox:1.36","busybox:latest"],"RepoDigests":["busybox@sha256:aaaa5f52b4ba31c7e465126ee2123fe3f2305d638e7827681e7cf6c83d5eaaaa"],"Created":1700000000,"Size":4261550,"SharedSize":-1,"Containers":-1,"Labels":null},
 {"Id":"sha256:3487d0af5f52b4ba31c7e465126ee2123fe3f2305d638e7827681e7cf6c83d5e","ParentId":"","RepoTags":["127.0.0.1:5000/x/busybox:1"],"RepoDigests":[],"Created":1700000000,"Size":999,"SharedSize":-1,"Containers":-1,"Labels":null},
 {"Id":"sha256:2487d0af5f52b4ba31c7e465126ee2123fe3f2305d638e7827681e7cf6c83d5e","ParentId":"","RepoTags":[],"RepoDigests":[],"Created":1700000000,"Size":123456789,"SharedSize":1000,"Containers":2,"Labels":null}]`

const imageJSON = `{"Id":"` + image + `","RepoTags":["busybox:1.36"],"RepoDigests":[],"Created":"2023-11-14T22:13:20Z","Architecture":"amd64","Os":"linux","Size":4261550,"RootFS":{"Type":"layers","Layers":["sha256:aa"]},"Config":{"Cmd":["sh"]}}`

const networksJSON = `[{"Name":"host","Id":"` + id1 + `","Created":"2023-11-14T22:13:20Z","Scope":"local","Driver":"host","EnableIPv4":true,"EnableIPv6":false,"IPAM":{"Driver":"default","Options":null,"Config":null},"Internal":false,"Labels":{}},
 {"Name":"bridge","Id":"` + id2 + `","Created":"2023-11-14T22:13:20Z","Scope":"local","Driver":"bridge","EnableIPv4":true,"EnableIPv6":false,"IPAM":{"Driver":"default","Config":[{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}]},"Internal":false,"Labels":{"k":"v"}}]`

const volumesJSON = `{"Volumes":[{"Name":"zeta","Driver":"local","Mountpoint":"/var/lib/x/zeta/_data","Scope":"local","Labels":{"a":"b"},"Options":null,"CreatedAt":"2023-11-14T22:13:20Z"},{"Name":"alpha","Driver":"local","Mountpoint":"/m","Scope":"local","Labels":null,"Options":null}],"Warnings":null}`

const statsJSON = `{"name":"/web","id":"` + id1 + `","read":"2023-11-14T22:13:21Z","preread":"2023-11-14T22:13:20Z","pids_stats":{"current":3},"num_procs":0,
 "cpu_stats":{"cpu_usage":{"total_usage":300000000},"system_cpu_usage":20000000000,"online_cpus":2},"precpu_stats":{"cpu_usage":{"total_usage":100000000},"system_cpu_usage":18000000000,"online_cpus":2},
 "memory_stats":{"usage":10485760,"limit":67108864,"stats":{"inactive_file":1048576}},"networks":{"eth0":{"rx_bytes":1500,"tx_bytes":2500000}},"blkio_stats":{"io_service_bytes_recursive":[{"op":"read","value":4096},{"op":"write","value":8192}]}}`

const dfJSON = `{"LayersSize":4261550,"Images":[{"Id":"` + image + `","RepoTags":["busybox:1.36"],"RepoDigests":[],"Created":1700000000,"Size":4261550,"SharedSize":0,"Containers":1}],
 "Containers":[{"Id":"` + id1 + `","Names":["/web"],"Image":"busybox","Command":"sh","Created":1700000000,"SizeRw":100,"State":"running","Status":"Up 1 second","HostConfig":{},"Mounts":[]},{"Id":"` + id2 + `","Names":["/db"],"Image":"busybox","Command":"sh","Created":1700000000,"SizeRw":50,"State":"exited","Status":"Exited","HostConfig":{},"Mounts":[]}],
 "Volumes":[{"Name":"v1","Driver":"local","Mountpoint":"/m","Scope":"local","Labels":null,"Options":null,"UsageData":{"RefCount":1,"Size":1000}},{"Name":"v2","Driver":"local","Mountpoint":"/m","Scope":"local","Labels":null,"Options":null,"UsageData":{"RefCount":0,"Size":500}}],"BuildCache":[]}`

const versionJSON = `{"Platform":{"Name":"Some Engine"},"Components":[{"Name":"Engine","Version":"0.1","Details":{"ApiVersion":"1.50","Arch":"amd64","BuildTime":"2023-11-14T22:13:20.000000000+00:00","Experimental":"true","GitCommit":"abc","GoVersion":"go1.26","KernelVersion":"6.1","MinAPIVersion":"1.40","Os":"linux"}},{"Name":"shim","Version":"1","Details":{"GitCommit":"def"}}],"Version":"0.1","ApiVersion":"1.50","MinAPIVersion":"1.40","GitCommit":"abc","GoVersion":"go1.26","Os":"linux","Arch":"amd64","KernelVersion":"6.1","BuildTime":"2023-11-14T22:13:20.000000000+00:00"}`

const infoJSON = `{"ID":"x-y","Containers":2,"ContainersRunning":1,"ContainersPaused":0,"ContainersStopped":1,"Images":3,"Driver":"overlay2","DriverStatus":[["Backing Filesystem","extfs"]],"Plugins":{"Volume":["local"],"Network":["bridge","host","none"],"Authorization":null,"Log":["json-file","local"]},
 "MemoryLimit":true,"Debug":false,"NFd":10,"LoggingDriver":"json-file","CgroupDriver":"cgroupfs","CgroupVersion":"2","KernelVersion":"6.1","OperatingSystem":"Debian","OSType":"linux","Architecture":"x86_64","NCPU":2,"MemTotal":25182654464,"DockerRootDir":"/var/lib/x","Name":"host1","Labels":["a=b"],"ExperimentalBuild":false,"ServerVersion":"0.1",
 "Runtimes":{"runc":{"path":"runc"}},"DefaultRuntime":"runc","Swarm":{"NodeID":"","NodeAddr":"","LocalNodeState":"inactive","ControlAvailable":false,"Error":"","RemoteManagers":null},"LiveRestoreEnabled":true,"InitBinary":"init","ContainerdCommit":{"ID":"c1"},"RuncCommit":{"ID":"r1"},"InitCommit":{"ID":"i1"},
 "SecurityOptions":["name=seccomp,profile=builtin","name=cgroupns"],"RegistryConfig":{"InsecureRegistryCIDRs":["127.0.0.0/8"],"IndexConfigs":{"docker.io":{"Name":"docker.io","Mirrors":[],"Secure":true,"Official":true}},"Mirrors":["http://m/"]},"DefaultAddressPools":[{"Base":"172.17.0.0/16","Size":16}],"Warnings":["WARNING: No swap limit support"]}`

const noSwarm = `This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.`

// answers are looked through in order.
var answers = []answer{
	on("POST", "/containers/create", create),
	fixed("GET", "/containers/json", containersJSON),
	on("GET", "/containers/([^/]+)/json", func(w http.ResponseWriter, _ *http.Request, m []string, _ []byte) {
		switch {
		case strings.HasPrefix(m[1], "no"), m[1] == "busybox", m[1] == "bridge", m[1] == "zeta":
			fail(w, 404, "No such container: "+m[1])
		case m[1] == "stopped":
			reply(w, strings.Replace(inspectJSON, `"Running":true`, `"Running":false`, 1))
		default:
			reply(w, inspectJSON)
		}
	}),
	on("POST", "/containers/(?:noexec|denied)[^/]*/attach", func(w http.ResponseWriter, _ *http.Request, _ []string, _ []byte) { hijack(w) }), // what does not start says nothing
	on("POST", "/containers/([^/]+)/attach", func(w http.ResponseWriter, _ *http.Request, _ []string, _ []byte) { hijack(w, "out\n", "err\n") }),
	on("POST", "/containers/([^/]+)/wait", func(w http.ResponseWriter, _ *http.Request, m []string, _ []byte) {
		if strings.HasPrefix(m[1], "three") {
			reply(w, `{"StatusCode":3}`)
			return
		}
		reply(w, `{"StatusCode":0}`)
	}),
	on("POST", "/containers/(noexec[^/]*)/start", func(w http.ResponseWriter, _ *http.Request, _ []string, _ []byte) {
		fail(w, 400, `failed to create task: exec: "nosuch": executable file not found in $PATH`)
	}),
	on("POST", "/containers/(denied[^/]*)/start", func(w http.ResponseWriter, _ *http.Request, _ []string, _ []byte) {
		fail(w, 400, `failed to create task: exec: "/etc": permission denied`)
	}),
	nothing("POST", "/containers/([^/]+)/(?:start|stop|restart|kill|pause|unpause|rename|resize)"),
	nothing("DELETE", "/containers/([^/]+)"),
	fixed("POST", "/containers/prune", `{"ContainersDeleted":["`+id1+`"],"SpaceReclaimed":1234567}`),
	fixed("POST", "/containers/([^/]+)/update", `{"Warnings":["watch out"]}`),
	fixed("POST", "/containers/([^/]+)/exec", `{"Id":"e1"}`),
	on("POST", "/exec/e1/start", func(w http.ResponseWriter, _ *http.Request, _ []string, body []byte) {
		if bytes.Contains(body, []byte(`"Detach":true`)) {
			return
		}
		hijack(w, "out\n", "err\n")
	}),
	fixed("GET", "/exec/e1/json", `{"ID":"e1","Running":false,"ExitCode":5}`),
	on("GET", "/containers/([^/]+)/logs", func(w http.ResponseWriter, _ *http.Request, _ []string, _ []byte) {
		w.Header().Set("Content-Type", "application/vnd.docker.multiplexed-stream")
		frame(w, 1, "line 1\n")
		frame(w, 2, "line 2\n")
	}),
	fixed("GET", "/containers/([^/]+)/top", `{"Titles":["UID","PID","CMD"],"Processes":[["root","1","sh -c x"],["root","22222222222222222222","sleep"]]}`),
	fixed("GET", "/containers/([^/]+)/changes", `[{"Path":"/a","Kind":0},{"Path":"/b","Kind":1},{"Path":"/c","Kind":2}]`),
	fixed("GET", "/containers/([^/]+)/stats", statsJSON),
	fixed("GET", "/containers/([^/]+)/export", "tar"),
	on("HEAD", "/containers/([^/]+)/archive", archiveStat),
	on("GET", "/containers/([^/]+)/archive", archive),
	fixed("PUT", "/containers/([^/]+)/archive", ""),
	on("POST", "/commit", func(w http.ResponseWriter, _ *http.Request, _ []string, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(201)
		io.WriteString(w, `{"Id":"`+image+`"}`)
	}),
	on("POST", "/images/create", func(w http.ResponseWriter, r *http.Request, _ []string, _ []byte) {
		if strings.Contains(r.URL.Query().Get("fromImage"), "nosuch") {
			fail(w, 404, "pull access denied for nosuch")
			return
		}
		reply(w, `{"status":"Pulling from x","id":"1"}`+"\n"+`{"status":"Downloading","progressDetail":{"current":1,"total":2},"id":"aa"}`+"\n"+`{"status":"Pull complete","progressDetail":{},"id":"aa"}`+"\n"+`{"status":"Status: done"}`+"\n")
	}),
	fixed("GET", "/images/json", imagesJSON),
	fixed("GET", "/images/get", "tar"),
	fixed("GET", "/images/search", `[{"name":"busybox","description":"Busybox base image\nwith a description that is longer than forty-five characters","star_count":3000,"is_official":true,"is_automated":false},{"name":"x/y","description":"","star_count":0,"is_official":false}]`),
	fixed("POST", "/images/load", `{"stream":"Loaded image: busybox:1.36\n"}`),
	fixed("POST", "/images/prune", `{"ImagesDeleted":[{"Untagged":"x:1"},{"Deleted":"sha256:aa"}],"SpaceReclaimed":2048}`),
	on("GET", "/images/(.+)/json", func(w http.ResponseWriter, _ *http.Request, m []string, _ []byte) {
		if m[1] != "busybox" {
			fail(w, 404, "No such image: "+m[1])
			return
		}
		reply(w, imageJSON)
	}),
	fixed("GET", "/images/(.+)/history", `[{"Id":"`+image+`","Created":1700000000,"CreatedBy":"CMD [\"sh\"]","Size":0,"Comment":"buildkit"},{"Id":"<missing>","Created":0,"CreatedBy":"ADD file:a very long instruction that is more than forty-five characters /","Size":4261550,"Comment":""}]`),
	on("POST", "/images/(.+)/push", func(w http.ResponseWriter, _ *http.Request, m []string, _ []byte) {
		if strings.Contains(m[1], "denied") {
			reply(w, `{"errorDetail":{"message":"denied: no"},"error":"denied: no"}`)
			return
		}
		reply(w, `{"status":"Pushed","id":"aa"}`)
	}),
	on("POST", "/images/(.+)/tag", func(w http.ResponseWriter, _ *http.Request, _ []string, _ []byte) { w.WriteHeader(201) }),
	on("DELETE", "/images/(.+)", func(w http.ResponseWriter, _ *http.Request, m []string, _ []byte) {
		if strings.HasPrefix(m[1], "no") {
			fail(w, 404, "No such image: "+m[1])
			return
		}
		reply(w, `[{"Untagged":"busybox:1.36"},{"Deleted":"sha256:aa"}]`)
	}),
	fixed("GET", "/networks", networksJSON),
	on("GET", "/networks/([^/]+)", func(w http.ResponseWriter, _ *http.Request, m []string, _ []byte) {
		if m[1] != "bridge" && m[1] != "tn" {
			fail(w, 404, "network "+m[1]+" not found")
			return
		}
		reply(w, `{"Name":"bridge","Id":"`+id2+`","Created":"2023-11-14T22:13:20Z","Scope":"local","Driver":"bridge","EnableIPv6":false,"IPAM":{"Driver":"default","Options":null,"Config":[]},"Internal":false,"Labels":{}}`)
	}),
	on("POST", "/networks/create", func(w http.ResponseWriter, _ *http.Request, _ []string, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(201)
		io.WriteString(w, `{"Id":"`+id1+`","Warning":""}`)
	}),
	fixed("POST", "/networks/prune", `{"NetworksDeleted":["tn"]}`),
	fixed("POST", "/networks/([^/]+)/(?:dis)?connect", ""),
	nothing("DELETE", "/networks/([^/]+)"),
	fixed("GET", "/volumes", volumesJSON),
	fixed("POST", "/volumes/create", `{"Name":"tv","Driver":"local","Mountpoint":"/m","Scope":"local","Labels":null,"Options":null}`),
	fixed("POST", "/volumes/prune", `{"VolumesDeleted":["v1","v2"],"SpaceReclaimed":1500}`),
	on("GET", "/volumes/([^/]+)", func(w http.ResponseWriter, _ *http.Request, m []string, _ []byte) {
		if m[1] != "zeta" {
			fail(w, 404, "get "+m[1]+": no such volume")
			return
		}
		reply(w, `{"Name":"zeta","Driver":"local","Mountpoint":"/m","Scope":"local","Labels":null,"Options":null}`)
	}),
	nothing("DELETE", "/volumes/([^/]+)"),
	fixed("GET", "/version", versionJSON),
	fixed("GET", "/info", infoJSON),
	fixed("GET", "/system/df", dfJSON),
	fixed("POST", "/build/prune", `{"CachesDeleted":null,"SpaceReclaimed":0}`),
	fixed("GET", "/events", `{"status":"start","id":"`+id1+`","from":"busybox","Type":"container","Action":"start","Actor":{"ID":"`+id1+`","Attributes":{"name":"web","image":"busybox"}},"scope":"local","time":1700000000,"timeNano":1700000000123456789}`+"\n"),
	on("POST", "/auth", func(w http.ResponseWriter, _ *http.Request, _ []string, body []byte) {
		if strings.Contains(string(body), "wrong") {
			fail(w, 401, "unauthorized: incorrect username or password")
			return
		}
		reply(w, `{"IdentityToken":"","Status":"Login Succeeded"}`)
	}),
	fixed("GET", "/plugins", `[]`),
	on("GET", "/plugins/(.+)/json", func(w http.ResponseWriter, _ *http.Request, m []string, _ []byte) {
		fail(w, 404, "plugin "+m[1]+" not found")
	}),
	on("GET", "/(?:nodes|services|secrets|configs|swarm).*", func(w http.ResponseWriter, _ *http.Request, _ []string, _ []byte) { fail(w, 503, noSwarm) }),
	on("POST", "/swarm/.*", func(w http.ResponseWriter, _ *http.Request, _ []string, _ []byte) {
		fail(w, 503, "This node is not part of a swarm")
	}),
}

func create(w http.ResponseWriter, r *http.Request, _ []string, body []byte) {
	var c struct{ Image string }
	json.Unmarshal(body, &c)
	if strings.HasPrefix(c.Image, "nosuch") {
		fail(w, 404, "No such image: "+c.Image+":latest")
		return
	}
	id := id1
	if n := r.URL.Query().Get("name"); n != "" {
		id = n + id1[len(n):]
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(201)
	json.NewEncoder(w).Encode(map[string]any{"Id": id, "Warnings": []string{"a warning"}})
}

func stat(path string) (string, bool) {
	name, mode := "f", 0o644
	switch {
	case strings.HasPrefix(path, "/no"):
		return "", false
	case strings.HasSuffix(path, "/") || path == "/tmp" || path == "/d":
		name, mode = "d", 1<<31|0o755
	}
	s := `{"name":"` + name + `","size":3,"mode":` + jsonNumber(mode) + `,"mtime":"2023-11-14T22:13:20Z","linkTarget":""}`
	return base64.StdEncoding.EncodeToString([]byte(s)), true
}

func jsonNumber(n int) string { b, _ := json.Marshal(n); return string(b) }

func archiveStat(w http.ResponseWriter, r *http.Request, _ []string, _ []byte) {
	s, ok := stat(r.URL.Query().Get("path"))
	if !ok {
		w.WriteHeader(404)
		return
	}
	w.Header().Set("X-Docker-Container-Path-Stat", s)
}

func archive(w http.ResponseWriter, r *http.Request, _ []string, _ []byte) {
	path := r.URL.Query().Get("path")
	s, ok := stat(path)
	if !ok {
		fail(w, 404, "Could not find the file "+path+" in container web")
		return
	}
	w.Header().Set("X-Docker-Container-Path-Stat", s)
	t := tar.NewWriter(w)
	if path == "/d" {
		t.WriteHeader(&tar.Header{Name: "d/", Typeflag: tar.TypeDir, Mode: 0o755})
		t.WriteHeader(&tar.Header{Name: "d/in", Size: 3, Mode: 0o600})
	} else {
		t.WriteHeader(&tar.Header{Name: "f", Size: 3, Mode: 0o640})
	}
	t.Write([]byte("abc"))
	t.Close()
}

func tarNames(data []byte) []string {
	var names []string
	for t := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := t.Next()
		if err != nil {
			return names
		}
		names = append(names, h.Name)
	}
}
