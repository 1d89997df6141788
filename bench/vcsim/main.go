// vcsim with as many VMs as asked for, to compare with: built by `make bench` where Go and govmomi's source are.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
)

func main() {
	port := flag.Int("port", 0, "port to listen on")
	vms := flag.Int("vms", 1000, "virtual machines")
	flag.Parse()
	model := simulator.VPX()
	model.Host = 0
	model.Machine = *vms / model.Cluster
	if err := model.Create(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer model.Remove()
	model.Service.TLS = new(tls.Config)
	model.Service.RegisterEndpoints = true
	model.Service.Listen = &url.URL{Host: fmt.Sprintf("127.0.0.1:%d", *port)}
	server := model.Service.NewServer()
	defer server.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
}
