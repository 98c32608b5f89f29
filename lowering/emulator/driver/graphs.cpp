// Entry points about graphs and their executable form. Both are lists of nodes in order; making a
// graph executable copies its list, so that the graph may be destroyed.
//
// Graphs come from captures (captures.cpp). Adding or changing nodes by hand is not known here, and
// neither are those entry points.
#include "emulator/driver/graphs.hpp"

using namespace tilewright::emulator::driver;

namespace {

std::shared_ptr<Graph> graph_of(CUgraph handle) {
  auto graph = State::get().graphs.find(handle);
  require(graph != nullptr);
  return graph;
}

std::shared_ptr<GraphExec> exec_of(CUgraphExec handle) {
  auto exec = State::get().execs.find(handle);
  require(exec != nullptr);
  return exec;
}

void instantiate(CUgraphExec* exec, CUgraph graph, unsigned long long flags) {
  require(exec != nullptr);
  // Freeing at launch and priorities per node change nothing without nodes that allocate.
  constexpr unsigned long long known = CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH |
                                       CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY |
                                       CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD;
  require((flags & ~(known | CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH)) == 0);
  require((flags & CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH) == 0, CUDA_ERROR_NOT_SUPPORTED);
  const auto from = graph_of(graph);
  auto made = std::make_shared<GraphExec>();
  made->graph = std::make_shared<const Graph>(*from);
  made->flags = flags;
  const auto handle = make_handle<CUgraphExec>();
  State::get().execs.insert(handle, made);
  *exec = handle;
}

/// Handles of a list of nodes as CUDA gives them: their number, or as many as there is room for.
void give_nodes(const std::vector<CUgraphNode>& all, CUgraphNode* nodes, std::size_t* count) {
  require(count != nullptr);
  if (nodes != nullptr) {
    for (std::size_t k = 0; k < *count; ++k) nodes[k] = k < all.size() ? all[k] : nullptr;
    *count = std::min(*count, all.size());
  } else {
    *count = all.size();
  }
}

}  // namespace

extern "C" {

CUresult CUDAAPI cuGraphInstantiate(CUgraphExec* exec, CUgraph graph, unsigned long long flags) {
  return guarded([&] { instantiate(exec, graph, flags); });
}

CUresult CUDAAPI cuGraphInstantiateWithParams(CUgraphExec* exec, CUgraph graph,
                                              CUDA_GRAPH_INSTANTIATE_PARAMS* parameters) {
  return guarded([&] {
    require(parameters != nullptr);
    parameters->hErrNode_out = nullptr;
    parameters->result_out = CUDA_GRAPH_INSTANTIATE_ERROR;
    instantiate(exec, graph, parameters->flags);
    parameters->result_out = CUDA_GRAPH_INSTANTIATE_SUCCESS;
  });
}

CUresult CUDAAPI cuGraphLaunch(CUgraphExec exec, CUstream stream) {
  return guarded([&] {
    const auto graph = exec_of(exec)->graph;
    require(context_of_stream(stream)->device == graph->context->device);
    in_stream(stream, CU_GRAPH_NODE_TYPE_GRAPH, [graph] {
      for (const auto& [handle, node] : graph->nodes) node->run();
    });
  });
}

CUresult CUDAAPI cuGraphUpload(CUgraphExec exec, CUstream stream) {
  return guarded([&] {
    exec_of(exec);
    forbid_if_captured(stream);
    context_of_stream(stream);
  });
}

CUresult CUDAAPI cuGraphExecGetFlags(CUgraphExec exec, cuuint64_t* flags) {
  return guarded([&] {
    require(flags != nullptr);
    *flags = exec_of(exec)->flags;
  });
}

CUresult CUDAAPI cuGraphExecDestroy(CUgraphExec exec) {
  return guarded([&] { require(State::get().execs.remove(exec) != nullptr); });
}

CUresult CUDAAPI cuGraphDestroy(CUgraph graph) {
  return guarded([&] { require(State::get().graphs.remove(graph) != nullptr); });
}

CUresult CUDAAPI cuGraphGetNodes(CUgraph graph, CUgraphNode* nodes, std::size_t* count) {
  return guarded([&] {
    std::vector<CUgraphNode> all;
    for (const auto& [handle, node] : graph_of(graph)->nodes) all.push_back(handle);
    give_nodes(all, nodes, count);
  });
}

CUresult CUDAAPI cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType* type) {
  return guarded([&] {
    require(type != nullptr);
    for (const auto& graph : State::get().graphs.all()) {
      for (const auto& [handle, kept] : graph->nodes) {
        if (handle != node) continue;
        *type = kept->type;
        return;
      }
    }
    throw Failure{CUDA_ERROR_INVALID_VALUE};
  });
}

}  // extern "C"
