package upstream

import (
	"context"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	metricsclient "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// What the controller does not export. The linker resolves these names against upstream's own code (-checklinkname=0); a function that
// upstream renames or drops fails the build, and one whose parameters change has to be found by reading, so the version is pinned.

type controller = podautoscaler.HorizontalController

//go:linkname reconcileAutoscaler k8s.io/kubernetes/pkg/controller/podautoscaler.(*HorizontalController).reconcileAutoscaler
func reconcileAutoscaler(c *controller, ctx context.Context, hpa *autoscalingv2.HorizontalPodAutoscaler, key string) error

//go:linkname computeReplicasForMetric k8s.io/kubernetes/pkg/controller/podautoscaler.(*HorizontalController).computeReplicasForMetric
func computeReplicasForMetric(c *controller, ctx context.Context, hpa *autoscalingv2.HorizontalPodAutoscaler, spec autoscalingv2.MetricSpec,
	specReplicas, statusReplicas int32, selector labels.Selector, status *autoscalingv2.MetricStatus) (int32, string, time.Time,
	autoscalingv2.HorizontalPodAutoscalerCondition, error)

//go:linkname computeReplicasForMetrics k8s.io/kubernetes/pkg/controller/podautoscaler.(*HorizontalController).computeReplicasForMetrics
func computeReplicasForMetrics(c *controller, ctx context.Context, hpa *autoscalingv2.HorizontalPodAutoscaler, scale *autoscalingv1.Scale,
	specs []autoscalingv2.MetricSpec) (int32, string, []autoscalingv2.MetricStatus, time.Time, error)

//go:linkname stabilizeRecommendation k8s.io/kubernetes/pkg/controller/podautoscaler.(*HorizontalController).stabilizeRecommendation
func stabilizeRecommendation(c *controller, key string, proposal int32) int32

//go:linkname stabilizeRecommendationWithBehaviors k8s.io/kubernetes/pkg/controller/podautoscaler.(*HorizontalController).stabilizeRecommendationWithBehaviors
func stabilizeRecommendationWithBehaviors(c *controller, args podautoscaler.NormalizationArg) (int32, string, string)

//go:linkname maybeInitScaleDownStabilizationWindow k8s.io/kubernetes/pkg/controller/podautoscaler.(*HorizontalController).maybeInitScaleDownStabilizationWindow
func maybeInitScaleDownStabilizationWindow(c *controller, hpa *autoscalingv2.HorizontalPodAutoscaler)

//go:linkname groupPods k8s.io/kubernetes/pkg/controller/podautoscaler.groupPods
func groupPods(pods []*v1.Pod, metrics metricsclient.PodMetricsInfo, resource v1.ResourceName, cpuInitialization, readinessDelay time.Duration) (
	ready int, unready, missing, ignored sets.Set[string])

//go:linkname scaleUpLimitFactor k8s.io/kubernetes/pkg/controller/podautoscaler.scaleUpLimitFactor
var scaleUpLimitFactor float64

// The controller's memory, with the layout of its own unexported structs; mustMatch refuses any other.

type recommendation struct {
	recommendation int32
	timestamp      time.Time
}

type scaleEvent struct {
	replicaChange int32
	timestamp     time.Time
	outdated      bool
}

func field(c *controller, name string) reflect.Value {
	f := reflect.ValueOf(c).Elem().FieldByName(name)
	if !f.IsValid() {
		panic("the controller has no field " + name)
	}
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

func set(c *controller, name string, value any) { field(c, name).Set(reflect.ValueOf(value)) }

func memory[T any](c *controller, name string) *map[string][]T {
	f := field(c, name)
	mustMatch(f.Type(), reflect.TypeFor[map[string][]T]())
	return (*map[string][]T)(unsafe.Pointer(f.UnsafeAddr()))
}

func mustMatch(theirs, ours reflect.Type) {
	a, b := theirs.Elem().Elem(), ours.Elem().Elem()
	same := theirs.Key() == ours.Key() && a.Size() == b.Size() && a.NumField() == b.NumField()
	for i := 0; same && i < a.NumField(); i++ {
		x, y := a.Field(i), b.Field(i)
		same = x.Name == y.Name && x.Type == y.Type && x.Offset == y.Offset
	}
	if !same {
		panic(fmt.Sprintf("the controller's %v is not our %v", theirs, ours))
	}
}
